import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { callBots, liveTracks, startBotFleet } from '../support/bots.ts';
import { metricsOf } from '../support/stack.ts';
import { waitUntil } from '../support/waitUntil.ts';

test('a drain keeps the same tracks and delivers no message twice', async (t) => {
  const { daemon, alice, bob, receivesMore } = await callBots(t, await startBotFleet(t, ['daemon-a', 'daemon-b']));
  const former = alice.room.state;
  const tracks = bob.room.remoteTracks;
  const messages: string[] = [];
  bob.room.on('dataReceived', (_, message) => messages.push(String(message)));
  const arrive = (count: number) => waitUntil(`${count} messages have come`, () => messages.length >= count);
  let sent = 0;
  const sending = setInterval(() => alice.room.send(String(sent++)), 20);
  t.after(() => clearInterval(sending));
  await arrive(20);
  const ended = once(daemon.process, 'exit');
  daemon.process.kill('SIGTERM');
  assert.deepEqual(await ended, [0, null]);
  await receivesMore(20);
  await arrive(messages.length + 20);
  clearInterval(sending);
  assert.equal(new Set(messages).size, messages.length, 'no message twice');
  const lost = Number(messages.at(-1)) + 1 - Number(messages[0]) - messages.length;
  assert.equal(lost, 0, `${lost} of ${messages.length} messages lost on the move`);
  assert.deepEqual(bob.room.remoteTracks, tracks);
  assert.notDeepEqual(alice.room.state, former);
});

test('messages that may be lost come over a data channel, once each, also through a drain', async (t) => {
  const { daemon, alice, bob } = await callBots(t, await startBotFleet(t, ['daemon-a', 'daemon-b']));
  const received: number[] = [];
  bob.room.on('dataReceived', (_, data) => received.push(Number(data)));
  let sent = 0;
  const sending = setInterval(() => alice.room.send(String(sent++), { reliable: false }), 20);
  t.after(() => clearInterval(sending));
  await waitUntil('20 messages came', () => received.length >= 20);
  const [opened] = /^media_daemon_requests_total\{method="produceData".*$/m.exec(await metricsOf(daemon)) ?? [];
  assert.match(opened ?? '', /code="200"\} 1$/);
  daemon.process.kill('SIGTERM');
  await waitUntil('the daemon has ended', () => daemon.process.exitCode !== null || daemon.process.signalCode !== null);
  const before = received.length;
  await waitUntil('20 messages came at the next daemon', () => received.length >= before + 20);
  assert.equal(new Set(received).size, received.length, 'no message twice');
});

test('a move survives a lost socket, and a track that the next daemon refuses at first is published later', async (t) => {
  const { stack, ...fleet } = await startBotFleet(t);
  const { daemon, relay, alice, bob } = await callBots(t, { stack, ...fleet });
  const states: string[] = [];
  alice.room.on('stateChanged', ({ status }) => states.push(status));
  daemon.process.kill('SIGTERM');
  await waitUntil(
    'Alice moves',
    () => states.includes('moving'),
    () => states,
  );
  relay.reset();
  const isCounted = (what: string, on: typeof daemon, metric: RegExp) =>
    waitUntil(what, async () => metric.test(await metricsOf(on)));
  await isCounted('both sessions are resumed', daemon, /session_events_total\{event="resumed"\} 2/);
  const next = await stack.startDaemon('daemon-b', { MEDIA_DAEMON_MAX_PEER_PRODUCERS: '1' });
  await isCounted('a producer is refused', next, /limited_total\{limit="peerProducers"\} [1-9]/);
  assert.equal(states.indexOf('connected'), states.length - 1, 'it was not forgotten that the peer is to move');
  const live = () => liveTracks(bob).map(({ id }) => id);
  await waitUntil(
    'Bob is connected and has one live track',
    () => bob.room.state.status === 'connected' && live().length === 1,
    () => [bob.room.state, live()],
  );
  const [here, waiting, ...others] = alice.room.localTracks.toSorted(
    (a, b) => Number(live().includes(b.id)) - Number(live().includes(a.id)),
  );
  assert.ok(here && waiting && others.length === 0, 'both tracks are published still');
  await here.close();
  await waitUntil('the other track is live', () => live().includes(waiting.id), live);
});
