import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { fromBase64 } from './base64.ts';
import { Outbox } from './Outbox.ts';
import { ReliableInbox } from './ReliableInbox.ts';

test('`Outbox` refuses messages that are too long or too many, and keeps all others', () => {
  const sent = new Outbox('s');
  sent.add('first', {});
  for (const data of ['x'.repeat(65_535), 'ä'.repeat(32_768), '\u0000'.repeat(11_000), new Uint8Array(50_000)])
    assert.throws(() => sent.add(data, {}), { code: 'INVALID_REQUEST' });
  sent.add('second', { to: ['bob'], topic: 'chat' });
  assert.deepEqual(
    sent.recent().map(({ request }) => request),
    [
      { data: 'first', senderId: 's', number: 0 },
      { data: 'second', senderId: 's', number: 1, to: ['bob'], topic: 'chat' },
    ],
  );
  const fill = (): void => {
    for (let count = 0; count < 200; count++) sent.add('x'.repeat(60_000), {});
  };
  assert.throws(fill, { code: 'UNAVAILABLE' });
  for (const message of sent.recent()) sent.take(message);
  sent.add('again', {});
});

test('`Outbox` keeps sent messages for a minute, at most 1 MiB of them, and waiting messages for good', () => {
  const sent = new Outbox('s');
  const messages = Array.from({ length: 100 }, () => sent.add('x'.repeat(20_000), {}));
  for (const message of messages.slice(1)) sent.take(message);
  const [oldest, next] = sent.recent().map(({ request }) => request.number);
  assert.equal(oldest, 0, 'it waits');
  assert.equal(next, 48);
  const later = performance.now() + 61_000;
  assert.deepEqual(
    sent.recent(later).map(({ request }) => request.number),
    [0],
  );
});

test('`Outbox` encodes bytes as base64', () => {
  const bytes = Uint8Array.from({ length: 40_000 }, (_, index) => index % 256);
  const { request } = new Outbox('s').add(bytes, {});
  assert.equal(request.encoding, 'base64');
  assert.deepEqual(fromBase64(request.data), bytes);
  assert.equal(fromBase64('not base64!'), undefined);
});

test('`ReliableInbox` accepts each message of a sender once', () => {
  const last = new ReliableInbox();
  const taken = [0, 1, 0, 3, 2, 4].filter((number) => last.take('alice', 's', number));
  assert.deepEqual(taken, [0, 1, 3, 4]);
  assert.ok(last.take('bob', 's', 0));
  assert.ok(last.take('alice', 'after a reload', 0));
  assert.ok(last.take('alice s', 't', 0));
  assert.ok(last.take('alice', 's t', 0), 'another sender');
});

test('`Outbox` frees sent messages in a long call without a new session', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const sent = new Outbox('s');
  const send = () => {
    const message = sent.add('x'.repeat(60_000), {});
    sent.take(message);
    return new WeakRef(message);
  };
  const first = send();
  for (let count = 0; count < 40; count++) send();
  // A WeakRef keeps its target until the current job is over.
  await new Promise((resolve) => setImmediate(resolve));
  collect();
  assert.equal(first.deref(), undefined);
});
