import { readFile } from 'node:fs/promises';

/** The block of JavaScript in a document that stands after the comment `<!-- tested -->`. */
export async function codeIn(document: string): Promise<string> {
  const text = await readFile(new URL(`../../${document}`, import.meta.url), 'utf8');
  const [, code] = /<!-- tested -->\n+```js\n(.*?)```/s.exec(text) ?? [];
  if (code === undefined) throw new Error(`${document} has no JavaScript after <!-- tested -->`);
  return code;
}
