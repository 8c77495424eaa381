import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { onLine } from './onLine.ts';

test('a line ends at a line feed alone, wherever the text is cut', async () => {
  const text = new PassThrough();
  const lines: string[] = [];
  onLine(text, (line) => lines.push(line));
  const whole = Buffer.from('{"roomId":"a\u2028b\u2029é"}\n\n{"n":1}\nunfinished');
  for (const byte of whole) text.write(Buffer.from([byte]));
  await new Promise((resolve) => text.end(resolve));
  assert.deepEqual(lines, ['{"roomId":"a\u2028b\u2029é"}', '', '{"n":1}']);
});
