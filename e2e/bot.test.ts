import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Bot } from './testing/Bot.ts';
import { nextTick, Stack } from './testing/stack.ts';
import { TcpProxy } from './testing/TcpProxy.ts';

/** Two programs in a room, one of which publishes; the sockets of both go through a relay. */
async function bots(t: TestContext) {
  const stack = await Stack.start(t);
  const daemon = await stack.startDaemon('daemon-a');
  const relay = await TcpProxy.start(t, Number(new URL(daemon.url).port));
  const Original = globalThis.WebSocket;
  globalThis.WebSocket = class extends Original {
    constructor(address: string | URL, protocols?: string | string[]) {
      const url = new URL(address);
      url.port = String(relay.port);
      super(url, protocols);
    }
  };
  t.after(() => {
    globalThis.WebSocket = Original;
  });
  const options = { controlPlaneUrl: stack.controlPlaneUrl, roomId: 'room' };
  const alice = await Bot.join(t, { ...options, peerId: 'alice' });
  const bob = await Bot.join(t, { ...options, peerId: 'bob' });
  await alice.publish();
  /** Waits until so much more of both tracks came. */
  const more = async (count: number) => {
    const from = new Map(bob.received);
    const enough = ([id, now]: [string, number]) => now >= (from.get(id) ?? 0) + count;
    while ([...bob.received].filter(enough).length < 2) await nextTick();
  };
  await more(20);
  return { relay, alice, bob, more };
}

test('the SDK in Node sends and receives sound, pictures and messages', async (t) => {
  const { alice, bob } = await bots(t);
  const heard = new Promise((resolve) => bob.room.on('dataReceived', (...message) => resolve(message)));
  const sending = setInterval(() => alice.room.send('hello'), 100);
  t.after(() => clearInterval(sending));
  assert.deepEqual(await heard, ['alice', 'hello']);
});

for (const failure of ['reset', 'blackhole'] as const) {
  test(`the SDK in Node resumes its session after a ${failure}, and the same tracks go on`, async (t) => {
    const { relay, alice, bob, more } = await bots(t);
    const tracks = bob.room.remoteTracks;
    const media = tracks.map(({ track }) => track);
    const states: string[] = [];
    bob.room.on('stateChanged', ({ status }) => states.push(status));
    relay[failure]();
    while (states.at(-1) !== 'connected') await nextTick();
    await more(20);
    assert.deepEqual(states, ['resuming', 'connected']);
    assert.deepEqual(bob.room.remoteTracks, tracks);
    assert.deepEqual(
      bob.room.remoteTracks.map(({ track }) => track),
      media,
    );
    while (alice.room.state.status !== 'connected') await nextTick();
    // What changed while there was no socket is known.
    await alice.room.localTracks[0]?.mute();
    while (!bob.room.remoteTracks.some(({ muted }) => muted)) await nextTick();
  });
}
