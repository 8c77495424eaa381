import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bot } from '../support/Bot.ts';
import { connectThrough, hear } from '../support/programSockets.ts';
import { Stack } from '../support/stack.ts';
import { UdpRelay } from '../support/UdpRelay.ts';
import { waitUntil } from '../support/waitUntil.ts';

/** The aim is below three seconds; a busy machine may be ten times as slow. */
const MOST_RECONNECT_MS = 30_000;

type Candidate = { readonly protocol: string; readonly port: number };

test('ICE is restarted until a packet gets through, and the session goes on', async (t) => {
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
  // Bob's media goes through the relay and cannot use TCP.
  let restarts = 0;
  hear((text) => {
    const message = JSON.parse(text);
    if (message.data?.iceParameters) restarts++;
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
  const tracks = bob.room.remoteTracks;
  const media = tracks.map(({ track }) => track);
  const states: string[] = [];
  bob.room.on('stateChanged', ({ status }) => states.push(status));
  relay.cut = true;
  await waitUntil(
    'ICE is restarted',
    () => restarts > 0,
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
  const from = new Map(bob.received);
  const more = () => [...bob.received].map(([id, count]) => count - (from.get(id) ?? 0));
  await waitUntil('both tracks come again', () => Math.min(...more()) > 10, more);
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
