import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RequestData } from '@mediasoup-server/proto/signaling';
import { RoomError } from '../errors.ts';
import { MessageSender } from './MessageSender.ts';
import { Outbox } from './Outbox.ts';

/** A daemon that accepts messages in order and refuses those that the test names. */
function daemon(refusal: (number: number) => RoomError | undefined = () => undefined) {
  const taken: number[] = [];
  const deliver = async ({ number, after }: RequestData<'sendMessage'>): Promise<void> => {
    const last = taken.at(-1);
    if (last !== undefined && number <= last) return;
    const error = refusal(number);
    if (error) throw error;
    if (last !== undefined && after !== undefined && after > last)
      throw new RoomError('INVALID_REQUEST', 'out of order', { status: 409 });
    taken.push(number);
  };
  return { taken, deliver };
}

/** Sends so many messages, and resolves when each was accepted or refused. */
async function sendAll(count: number, deliver: (data: RequestData<'sendMessage'>) => Promise<unknown>) {
  const sent = new Outbox('s');
  const refused: number[] = [];
  let left = count;
  const done = Promise.withResolvers<void>();
  const settled = (): void => {
    left--;
    if (left === 0) done.resolve();
  };
  const sender = new MessageSender(sent.recent(), {
    deliver,
    taken: (message) => {
      sent.take(message);
      settled();
    },
    refused: (message) => {
      sent.take(message);
      refused.push(message.request.number);
      settled();
    },
  });
  for (let number = 0; number < count; number++) sender.send(sent.add('x'.repeat(20_000), {}));
  await done.promise;
  sender.close();
  return { sent, refused };
}

const range = (count: number) => Array.from({ length: count }, (_, index) => index);

test('`MessageSender` delivers messages in order and once, including those that were refused for a time', async () => {
  let refusals = 0;
  const { taken, deliver } = daemon((number) =>
    number % 5 === 3 && refusals++ % 2 === 0 ? new RoomError('UNAVAILABLE', 'slower', { status: 429 }) : undefined,
  );
  const { refused } = await sendAll(12, deliver);
  assert.deepEqual(taken, range(12));
  assert.deepEqual(refused, []);
});

test('`MessageSender` goes on after a message that is refused for good', async () => {
  const { taken, deliver } = daemon((number) =>
    number === 2 ? new RoomError('REFUSED', 'no', { status: 403 }) : undefined,
  );
  const { refused } = await sendAll(6, deliver);
  assert.deepEqual(refused, [2]);
  assert.deepEqual(taken, [0, 1, 3, 4, 5]);
});

test('`MessageSender` has no more bytes under way than its window', async () => {
  let [now, most] = [0, 0];
  const { taken, deliver } = daemon();
  await sendAll(20, async (data) => {
    most = Math.max(most, ++now);
    await new Promise((resolve) => setImmediate(resolve));
    now--;
    await deliver(data);
  });
  assert.equal(taken.length, 20);
  assert.ok(most >= 2 && most <= 4, `${most} at once`);
});

test('`MessageSender` stops when its session ends, and another one delivers the rest', async () => {
  const sent = new Outbox('s');
  const ended = Promise.withResolvers<void>();
  const first = new MessageSender([], {
    deliver: async ({ number }) => {
      if (number === 0) return;
      ended.resolve();
      throw new RoomError('CONNECTION_LOST', 'gone');
    },
    taken: (message) => sent.take(message),
    refused: () => assert.fail('refused'),
  });
  for (let number = 0; number < 3; number++) first.send(sent.add('hi', {}));
  await ended.promise;
  const { taken, deliver } = daemon();
  const done = Promise.withResolvers<void>();
  new MessageSender(sent.recent(), {
    deliver,
    taken: ({ request }) => request.number === 2 && done.resolve(),
    refused: () => assert.fail('refused'),
  });
  await done.promise;
  // Messages accepted a short time ago are delivered again, because the daemon that accepted them may be lost.
  assert.deepEqual(taken, [0, 1, 2]);
});
