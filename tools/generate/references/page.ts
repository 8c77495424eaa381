import { readFile, writeFile } from 'node:fs/promises';

const templates = new URL('templates/', import.meta.url);
const reference = new URL('../../../docs/reference/', import.meta.url);

/**
 * Writes `docs/reference/NAME.md` from `templates/NAME.md`, in which `{{name}}` stands for a value.
 *
 * @throws Error when the template names a value that is not given, or a value is not used.
 */
export async function writePage(name: string, values: Readonly<Record<string, string>>): Promise<void> {
  const template = await readFile(new URL(`${name}.md`, templates), 'utf8');
  const unused = new Set(Object.keys(values));
  const text = template.replace(/\{\{(\w+)\}\}/g, (_all, key: string) => {
    const value = values[key];
    if (value === undefined) throw new Error(`templates/${name}.md names {{${key}}}, which is not generated`);
    unused.delete(key);
    return value;
  });
  if (unused.size > 0) throw new Error(`templates/${name}.md does not use {{${[...unused].join('}}, {{')}}}`);
  await writeFile(new URL(`${name}.md`, reference), text);
}
