import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readMessage } from './Chat.ts';

test('`readMessage` takes what `Chat.send` sends', () => {
  assert.equal(readMessage(JSON.stringify({ chat: 'Grüße 👋' })), 'Grüße 👋');
});

test('`readMessage` takes nothing else that a peer may send', () => {
  const others = ['', 'hello', 'null', '[]', '7', '{"chat":7}', '{"chat":" "}', '{"other":"x"}'];
  for (const data of [...others, new Uint8Array([123, 125]), undefined]) assert.equal(readMessage(data), undefined);
});

test('`readMessage` cuts off what is too long to be read', () => {
  assert.equal(readMessage(JSON.stringify({ chat: 'x'.repeat(5000) }))?.length, 2000);
});
