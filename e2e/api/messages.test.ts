import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Bot } from '../support/Bot.ts';
import { connectThrough } from '../support/programSockets.ts';
import { type Daemon, nextTick, Stack } from '../support/stack.ts';
import { TcpProxy } from '../support/TcpProxy.ts';
import { waitUntil } from '../support/waitUntil.ts';

const COUNT = 200;

/** Two programs in a room on one of two daemons, whose sockets go through relays. */
async function call(t: TestContext) {
  const stack = await Stack.start(t);
  const daemons = new Map<string, Daemon>();
  const relays = new Map<string, TcpProxy>();
  for (const id of ['daemon-a', 'daemon-b']) {
    const daemon = await stack.startDaemon(id, { MEDIA_DAEMON_PING_INTERVAL_MS: '2000' });
    daemons.set(id, daemon);
    relays.set(new URL(daemon.url).port, await TcpProxy.start(t, Number(new URL(daemon.url).port)));
  }
  connectThrough(t, new Map([...relays].map(([port, relay]) => [port, relay.port])));
  const options = { controlPlaneUrl: stack.controlPlaneUrl, roomId: 'room' };
  const alice = await Bot.join(t, { ...options, peerId: 'alice' });
  const bob = await Bot.join(t, { ...options, peerId: 'bob' });
  const { state } = alice.room;
  const daemon = state.status === 'connected' ? daemons.get(state.daemonId) : undefined;
  const relay = daemon && relays.get(new URL(daemon.url).port);
  if (!daemon || !relay) throw new Error('the programs are not connected');
  return { options, daemon, relay, alice, bob };
}

const failures = {
  'their sockets are reset': ({ relay }) => relay.reset(),
  'the daemon is drained': ({ daemon }) => daemon.process.kill('SIGTERM'),
  'the daemon is killed': ({ daemon }) => daemon.process.kill('SIGKILL'),
} satisfies Record<string, (on: { relay: TcpProxy; daemon: Daemon }) => unknown>;

for (const [what, fail] of Object.entries(failures)) {
  test(`messages arrive in order and once, both ways, when ${what}`, async (t) => {
    const { alice, bob, ...on } = await call(t);
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
      await nextTick();
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

test('what is sent before joining and when somebody joins arrives', async (t) => {
  const { options, alice } = await call(t);
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
