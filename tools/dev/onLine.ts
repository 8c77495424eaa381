import type { Readable } from 'node:stream';

/**
 * Calls back with each line of UTF-8 text. Only a line feed ends a line: Node's readline also takes U+2028 and U+2029 for
 * ends, which JSON may contain.
 */
export function onLine(text: Readable, listener: (line: string) => void): void {
  let rest = '';
  text.setEncoding('utf8');
  text.on('data', (chunk: string) => {
    const lines = `${rest}${chunk}`.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) listener(line);
  });
}
