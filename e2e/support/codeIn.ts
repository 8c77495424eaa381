import { readFile } from 'node:fs/promises';

/** The block of code in a document, of the language, that stands after the comment `<!-- tested -->`. */
export async function codeIn(document: string, language: 'js' | 'ts' | 'sh' = 'js'): Promise<string> {
  const text = await readFile(new URL(`../../${document}`, import.meta.url), 'utf8');
  const [, code] = new RegExp(`<!-- tested -->\n+\`\`\`${language}\n(.*?)\`\`\``, 's').exec(text) ?? [];
  if (code === undefined) throw new Error(`${document} has no ${language} after <!-- tested -->`);
  return code;
}
