import { readFile } from 'node:fs/promises';

/** The first block of JavaScript in a document. */
export async function codeIn(document: string): Promise<string> {
  const text = await readFile(new URL(`../../${document}`, import.meta.url), 'utf8');
  const [, code] = /```js\n(.*?)```/s.exec(text) ?? [];
  if (code === undefined) throw new Error(`there is no code in ${document}`);
  return code;
}
