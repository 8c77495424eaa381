import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Bot } from '../support/Bot.ts';
import { untilStatus } from '../support/bots.ts';
import { connectThrough, hear } from '../support/programSockets.ts';
import { commandsOf, Stack } from '../support/stack.ts';
import { UdpRelay } from '../support/UdpRelay.ts';
import { waitUntil } from '../support/waitUntil.ts';

/** The aim is below three seconds; a busy machine may be ten times as slow. */
const MOST_RECONNECT_MS = 30_000;

type Candidate = { readonly protocol: string; readonly port: number };

/** Alice and Bob call each other, and Bob's media goes through a relay. Their WebSockets do not. */
async function callThroughRelay(t: TestContext) {
  const stack = await Stack.start(t);
  const daemon = await stack.startDaemon('daemon-a');
  const { port } = new URL(daemon.url);
  connectThrough(t, new Map([[port, Number(port)]]));
  const options = { controlPlaneUrl: stack.controlPlaneUrl, roomId: 'room' };
  let mediaPort = 0;
  hear((text) => {
    mediaPort ||= JSON.parse(text).data.transports.send.iceCandidates[0].port;
    return [text];
  });
  const alice = await Bot.join(t, { ...options, peerId: 'alice' });
  await alice.publish();
  const relay = await UdpRelay.start(t, mediaPort);
  // Bob cannot use TCP.
  const answered = { iceRestarts: 0, joins: 0 };
  hear((text) => {
    const message = JSON.parse(text);
    if (message.data?.iceParameters) answered.iceRestarts++;
    if (message.data?.sessionId) answered.joins++;
    for (const transport of Object.values<{ iceCandidates: Candidate[] }>(message.data?.transports ?? {})) {
      transport.iceCandidates = transport.iceCandidates
        .filter(({ protocol }) => protocol === 'udp')
        .map((candidate) => ({ ...candidate, port: relay.port }));
    }
    return [JSON.stringify(message)];
  });
  const bob = await Bot.join(t, { ...options, peerId: 'bob' });
  // He sends too: an event that both of his transports report is emitted once.
  await bob.publish();
  await waitUntil('both receive two tracks', () => bob.received.size >= 2 && alice.received.size >= 2);
  const states: string[] = [];
  bob.room.on('stateChanged', ({ status }) => states.push(status));
  /** Waits until more comes over each of two tracks. */
  const receivesMore = async (bot: Bot) => {
    const from = new Map(bot.received);
    const more = () => [...bot.received].map(([id, count]) => count - (from.get(id) ?? 0));
    await waitUntil(`${bot.room.peerId} receives more`, () => more().filter((count) => count > 10).length >= 2, more);
  };
  return { daemon, relay, alice, bob, answered, states, receivesMore };
}

test('ICE is restarted until a packet gets through, and the session goes on', async (t) => {
  const { relay, bob, answered, states, receivesMore } = await callThroughRelay(t);
  const tracks = bob.room.remoteTracks;
  const media = tracks.map(({ track }) => track);
  relay.cut = true;
  await waitUntil(
    'ICE is restarted',
    () => answered.iceRestarts > 0,
    () => states,
  );
  relay.cut = false;
  const healed = Date.now();
  await waitUntil(
    'bob is connected',
    () => states.at(-1) === 'connected',
    () => states,
  );
  const connectedMs = Date.now() - healed;
  t.diagnostic(`connected ${connectedMs} ms after packets get through again`);
  assert.ok(connectedMs < MOST_RECONNECT_MS);
  await receivesMore(bob);
  await waitUntil(
    'bob is connected',
    () => states.at(-1) === 'connected',
    () => states,
  );
  // One transport may notice the outage after the other is connected again.
  assert.deepEqual(
    states,
    states.map((_, index) => (index % 2 === 0 ? 'reconnecting' : 'connected')),
  );
  assert.deepEqual(
    bob.room.remoteTracks.map(({ track }) => track),
    media,
  );
});

test('a call whose media is blocked for longer than ICE is restarted comes back, and leaves no ghost', async (t) => {
  const { daemon, relay, alice, bob, answered, states, receivesMore } = await callThroughRelay(t);
  relay.cut = true;
  const seen = () => ({ answered, states });
  await waitUntil('two more sessions are opened, which carry no media either', () => answered.joins >= 3, seen);
  relay.cut = false;
  await untilStatus(bob, 'connected');
  for (const bot of [bob, alice]) await receivesMore(bot);
  assert.ok(!states.includes('closed'), states.join());
  const { room } = await commandsOf(t, daemon).getRoom({ roomId: 'room' });
  assert.deepEqual(room?.peers.map(({ peerId }) => peerId).sort(), ['alice', 'bob']);
  bob.room.leave();
  alice.room.leave();
  await waitUntil('nobody is left', async () => (await commandsOf(t, daemon).listRooms({})).rooms.length === 0);
});
