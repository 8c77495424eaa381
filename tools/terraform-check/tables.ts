import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Module } from './Module.ts';
import { readModules } from './readModules.ts';

/*
 * Writes the tables of inputs and outputs into the READMEs of the modules.
 */

for (const module of (await readModules()).values()) {
  if (!module.folder.includes('modules/')) continue;
  const file = join(module.folder, 'README.md');
  const text = await readFile(file, 'utf8');
  const between = /(<!-- inputs and outputs -->\n)[\s\S]*?(<!-- end -->)/;
  if (!between.test(text)) throw new Error(`${file} has no place for the inputs and outputs`);
  await writeFile(
    file,
    text.replace(between, (_all, start: string, end: string) => `${start}${tablesOf(module)}\n${end}`),
  );
}

function tablesOf({ variables, outputs }: Module): string {
  const byName = ([a]: [string, unknown], [b]: [string, unknown]) => (a < b ? -1 : 1);
  const inputs = [...variables].sort(byName).map(([name, { description, type, required, default: fallback }]) => {
    const shown = required ? 'required' : `\`${JSON.stringify(fallback)}\``;
    return `| \`${name}\` | \`${type.replace(/\s+/g, ' ')}\` | ${shown} | ${cell(description)} |`;
  });
  const results = [...outputs]
    .sort(byName)
    .map(([name, { description }]) => `| \`${name}\` | ${cell(String(description))} |`);
  return [
    '| input | type | default | meaning |',
    '|---|---|---|---|',
    ...inputs,
    '',
    '| output | meaning |',
    '|---|---|',
    ...results,
  ].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
