import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Bot } from '../support/Bot.ts';
import { joinBots, startBotFleet } from '../support/bots.ts';
import type { Daemon } from '../support/stack.ts';
import type { TcpProxy } from '../support/TcpProxy.ts';
import { waitUntil } from '../support/waitUntil.ts';

const COUNT = 200;

/** One fleet serves these tests: each has a room of its own, and two of them end the daemon that serves it. */
const fleet = await startBotFleet({ after }, ['daemon-a', 'daemon-b', 'daemon-c']);

const failures = {
  'their sockets are reset': ({ relay }) => relay.reset(),
  'the daemon is drained': ({ daemon }) => daemon.process.kill('SIGTERM'),
  'the daemon is killed': ({ daemon }) => daemon.process.kill('SIGKILL'),
} satisfies Record<string, (on: { relay: TcpProxy; daemon: Daemon }) => unknown>;

for (const [what, fail] of Object.entries(failures)) {
  test(`messages arrive in order and once, both ways, when ${what}`, async (t) => {
    const { alice, bob, ...on } = await joinBots(t, fleet);
    const atBob: string[] = [];
    const atAlice: string[] = [];
    bob.room.on('dataReceived', (_, data) => atBob.push(String(data)));
    alice.room.on('dataReceived', (_, data) => atAlice.push(String(data)));
    let missed = 0;
    for (const { room } of [alice, bob]) room.on('messagesMissed', (count) => (missed += count));
    for (let number = 0; number < COUNT; number++) {
      alice.room.send(String(number));
      bob.room.send(String(number));
      if (number === COUNT / 4)
        await waitUntil(
          'Bob has more than 20 messages',
          () => atBob.length > 20,
          () => atBob,
        );
      if (number === COUNT / 2) fail(on);
      await delay(20);
    }
    const expected = Array.from({ length: COUNT }, (_, number) => String(number));
    await waitUntil(
      'both have the last message',
      () => atBob.includes(String(COUNT - 1)) && atAlice.includes(String(COUNT - 1)),
    );
    assert.deepEqual(atBob, expected);
    assert.deepEqual(atAlice, expected);
    assert.equal(missed, 0);
  });
}

test('messages sent before joining and on peerJoined arrive', async (t) => {
  const { options, alice } = await joinBots(t, fleet);
  const heard: unknown[][] = [];
  alice.room.on('dataReceived', (...told) => heard.push(told));
  alice.room.on('peerJoined', (peerId) => alice.room.send('welcome', { to: [peerId], topic: 'greeting' }));
  const atCarol: unknown[][] = [];
  let sent = false;
  await Bot.join(t, { ...options, peerId: 'carol' }, (room) => {
    if (sent) return;
    sent = true;
    room.on('dataReceived', (...told) => atCarol.push(told));
    room.send('early');
    assert.throws(() => room.send('x'.repeat(70_000)), { code: 'INVALID_REQUEST' });
    room.send(new Uint8Array([0, 255]));
  });
  await waitUntil(
    'both messages of Carol have come',
    () => heard.length >= 2,
    () => heard,
  );
  assert.deepEqual(heard, [
    ['carol', 'early'],
    ['carol', new Uint8Array([0, 255])],
  ]);
  await waitUntil('Carol has the welcome', () => atCarol.length > 0);
  assert.deepEqual(atCarol, [['alice', 'welcome', 'greeting']]);
});
