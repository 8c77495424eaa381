import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { SignalingClient } from '@mediasoup-server/media-daemon/testing/SignalingClient';
import { Bot } from '../support/Bot.ts';
import { connectThrough, hear } from '../support/programSockets.ts';
import { connectSender } from '../support/rtp.ts';
import { commandsOf, type Daemon, Stack } from '../support/stack.ts';
import { TcpProxy } from '../support/TcpProxy.ts';
import { UdpRelay } from '../support/UdpRelay.ts';
import { waitUntil } from '../support/waitUntil.ts';

type Candidate = { readonly protocol: string; readonly port: number };

/** Whether what came says that a track is published. */
function isPublished(text: string): boolean {
  const { response, data } = JSON.parse(text) as {
    response?: true;
    data?: { producerId?: string; consumerId?: string };
  };
  return response === true && data?.producerId !== undefined && data.consumerId === undefined;
}

const metricsOf = async ({ ready }: Daemon): Promise<string> =>
  (await fetch(`http://127.0.0.1:${ready.metricsPort}/metrics`)).text();

const isConnected = ({ room }: Bot) =>
  waitUntil(
    `${room.peerId} is connected`,
    () => room.state.status === 'connected',
    () => room.state,
  );

const hasLive = ({ room }: Bot, count: number) =>
  waitUntil(
    `${room.peerId} receives ${count} tracks`,
    () => room.remoteTracks.filter(({ state }) => state === 'live').length === count,
    () => room.remoteTracks.map(({ state }) => state),
  );

/** Two programs in a room, one of which publishes; their sockets go through relays. */
async function bots(
  t: TestContext,
  daemonIds: readonly string[] = ['daemon-a'],
  environment: Record<string, string> = {},
) {
  const stack = await Stack.start(t);
  const daemons = new Map<string, Daemon>();
  const relays = new Map<string, TcpProxy>();
  for (const id of daemonIds) {
    // The end of a test waits for a blackholed socket as long as a ping is.
    const daemon = await stack.startDaemon(id, { MEDIA_DAEMON_PING_INTERVAL_MS: '2000', ...environment });
    daemons.set(id, daemon);
    relays.set(new URL(daemon.url).port, await TcpProxy.start(t, Number(new URL(daemon.url).port)));
  }
  connectThrough(t, new Map([...relays].map(([port, relay]) => [port, relay.port])));
  const options = { controlPlaneUrl: stack.controlPlaneUrl, roomId: 'room' };
  const alice = await Bot.join(t, { ...options, peerId: 'alice' });
  const bob = await Bot.join(t, { ...options, peerId: 'bob' });
  await alice.publish();
  /** Waits until so much more of both tracks came. */
  const more = async (count: number) => {
    const from = new Map(bob.received);
    const enough = ([id, now]: [string, number]) => now >= (from.get(id) ?? 0) + count;
    await waitUntil(
      `${count} more of both tracks came`,
      () => [...bob.received].filter(enough).length >= 2,
      () => [...bob.received].map(([id, now]) => now - (from.get(id) ?? 0)),
    );
  };
  await more(20);
  const { state } = alice.room;
  const daemon = state.status === 'connected' ? daemons.get(state.daemonId) : undefined;
  const relay = daemon && relays.get(new URL(daemon.url).port);
  if (!daemon || !relay) throw new Error('the programs are not connected');
  const producers = async () => Number(/^media_daemon_producers (\d+)/m.exec(await metricsOf(daemon))?.[1]);
  return { stack, daemon, relay, alice, bob, more, producers };
}

test('the SDK in Node sends and receives sound, pictures and messages', async (t) => {
  const { alice, bob } = await bots(t);
  const messages: unknown[][] = [];
  bob.room.on('dataReceived', (...told) => messages.push(told));
  alice.room.send('hello');
  await waitUntil('a message came', () => messages.length > 0);
  assert.deepEqual(messages, [['alice', 'hello']]);
});

test('messages that may be lost come over a data channel, once each, also through a drain', async (t) => {
  const { daemon, alice, bob } = await bots(t, ['daemon-a', 'daemon-b']);
  const came: number[] = [];
  bob.room.on('dataReceived', (_, data) => came.push(Number(data)));
  let sent = 0;
  const sending = setInterval(() => alice.room.send(String(sent++), { reliable: false }), 20);
  t.after(() => clearInterval(sending));
  await waitUntil('20 messages came', () => came.length >= 20);
  const [made] = /^media_daemon_requests_total\{method="produceData".*$/m.exec(await metricsOf(daemon)) ?? [];
  assert.match(made ?? '', /code="200"\} 1$/);
  daemon.process.kill('SIGTERM');
  await waitUntil('the daemon has ended', () => daemon.process.exitCode !== null || daemon.process.signalCode !== null);
  const since = came.length;
  await waitUntil('20 messages came at the next place', () => came.length >= since + 20);
  assert.equal(new Set(came).size, came.length, 'no message twice');
});

for (const failure of ['reset', 'blackhole'] as const) {
  test(`the SDK in Node resumes its session after a ${failure}, and the same tracks go on`, async (t) => {
    const { relay, alice, bob, more } = await bots(t);
    const tracks = bob.room.remoteTracks;
    const media = tracks.map(({ track }) => track);
    const states: string[] = [];
    bob.room.on('stateChanged', ({ status }) => states.push(status));
    relay[failure]();
    await waitUntil(
      'bob is connected',
      () => states.at(-1) === 'connected',
      () => states,
    );
    await more(20);
    assert.deepEqual(states, ['resuming', 'connected']);
    assert.deepEqual(bob.room.remoteTracks, tracks);
    assert.deepEqual(
      bob.room.remoteTracks.map(({ track }) => track),
      media,
    );
    await isConnected(alice);
    // What changed while there was no socket is known.
    await alice.room.localTracks[0]?.mute();
    await waitUntil('bob knows that a track is muted', () => bob.room.remoteTracks.some(({ muted }) => muted));
  });
}

test('a track whose publication was answered while the socket was lost is published once', async (t) => {
  const { relay, alice, bob, producers } = await bots(t);
  const before = await producers();
  hear((text) => (isPublished(text) ? [] : [text]));
  const publishing = alice.publish();
  await waitUntil('the daemon has another producer', async () => (await producers()) > before);
  relay.reset();
  hear();
  await publishing;
  assert.equal(await producers(), before + 2);
  await hasLive(bob, 4);
  assert.equal(bob.room.remoteTracks.length, 4);
});

test('what comes together with the answer of a resumed session is newer than that', async (t) => {
  const { relay, alice, bob } = await bots(t);
  // Bob, who publishes nothing, hears the answer only with what is told next.
  let answer: string | undefined;
  hear((text) => {
    const { method, data } = JSON.parse(text);
    if (data?.snapshot?.ownProducers.length === 0) {
      answer = text;
      return [];
    }
    if (method !== 'newProducer' || answer === undefined) return [text];
    const both = [answer, text];
    answer = undefined;
    return both;
  });
  relay.reset();
  await waitUntil("bob's answer is held back", () => answer !== undefined);
  await isConnected(alice);
  await alice.publish();
  await hasLive(bob, 4);
});

test('a track whose publication was not answered when the session ended is published at the next place', async (t) => {
  const { relay, alice, bob, producers } = await bots(t, ['daemon-a'], { MEDIA_DAEMON_RESUME_GRACE_MS: '1' });
  hear((text) => (isPublished(text) ? [] : [text]));
  const before = await producers();
  const publishing = alice.publish();
  await waitUntil('the daemon has another producer', async () => (await producers()) > before);
  // Nobody can resume so soon.
  relay.reset();
  hear();
  await publishing;
  assert.equal(alice.room.localTracks.length, 4);
  await hasLive(bob, 4);
});

test('when no packet gets through ICE is restarted until one does, and the session goes on', async (t) => {
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
  // Bob's media takes the relay, and has no way over TCP.
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
  // He sends too: what happens to both of his connections is told once.
  await bob.publish();
  await waitUntil(
    'both receive both tracks',
    () => bob.received.size === 2 && alice.received.size === 2,
    () => [bob.received.size, alice.received.size],
  );
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
  t.diagnostic(`connected ${Date.now() - healed} ms after packets get through again`);
  const from = new Map(bob.received);
  const more = () => [...bob.received].map(([id, count]) => count - (from.get(id) ?? 0));
  await waitUntil('both tracks come again', () => Math.min(...more()) > 10, more);
  await waitUntil(
    'bob is connected',
    () => states.at(-1) === 'connected',
    () => states,
  );
  // The one of his connections that notices later may do so when the other is connected again.
  assert.deepEqual(
    states,
    states.map((_, index) => (index % 2 === 0 ? 'reconnecting' : 'connected')),
  );
  assert.deepEqual(
    bob.room.remoteTracks.map(({ track }) => track),
    media,
  );
});

test('through a drain the same tracks go on, and no message comes twice', async (t) => {
  const { daemon, alice, bob, more } = await bots(t, ['daemon-a', 'daemon-b']);
  const former = alice.room.state;
  const tracks = bob.room.remoteTracks;
  const messages: string[] = [];
  bob.room.on('dataReceived', (_, message) => messages.push(String(message)));
  let sent = 0;
  const sending = setInterval(() => alice.room.send(String(sent++)), 20);
  t.after(() => clearInterval(sending));
  await waitUntil('20 messages came', () => messages.length >= 20);
  daemon.process.kill('SIGTERM');
  await waitUntil('the daemon has ended', () => daemon.process.exitCode !== null || daemon.process.signalCode !== null);
  assert.deepEqual([daemon.process.exitCode, daemon.process.signalCode], [0, null]);
  await more(20);
  const since = messages.length;
  await waitUntil('20 messages came at the next place', () => messages.length >= since + 20);
  clearInterval(sending);
  assert.equal(new Set(messages).size, messages.length, 'no message twice');
  t.diagnostic(
    `${Number(messages.at(-1)) + 1 - Number(messages[0]) - messages.length} of ${messages.length} messages lost on the move`,
  );
  assert.deepEqual(bob.room.remoteTracks, tracks);
  assert.notDeepEqual(alice.room.state, former);
});

test('a move outlasts a lost socket, and a track that is refused for now at the next place is published later', async (t) => {
  const { stack, daemon, relay, alice, bob } = await bots(t);
  const states: string[] = [];
  alice.room.on('stateChanged', ({ status }) => states.push(status));
  daemon.process.kill('SIGTERM');
  await waitUntil('alice is moving', () => states.includes('moving'));
  relay.reset();
  await waitUntil('both sessions are resumed', async () =>
    /session_events_total\{event="resumed"\} 2/.test(await metricsOf(daemon)),
  );
  const next = await stack.startDaemon('daemon-b', { MEDIA_DAEMON_MAX_PEER_PRODUCERS: '1' });
  await waitUntil('the next place refuses a track', async () =>
    /limited_total\{limit="peerProducers"\} [1-9]/.test(await metricsOf(next)),
  );
  assert.equal(states.indexOf('connected'), states.length - 1, 'it was not forgotten that the peer is to move');
  const live = () => bob.room.remoteTracks.filter(({ state }) => state === 'live').map(({ id }) => id);
  await isConnected(bob);
  await hasLive(bob, 1);
  const [here, waiting, ...others] = alice.room.localTracks.toSorted(
    (a, b) => Number(live().includes(b.id)) - Number(live().includes(a.id)),
  );
  assert.ok(here && waiting && others.length === 0, 'both tracks are published still');
  await here.close();
  await waitUntil('bob receives the other track', () => live().includes(waiting.id), live);
});

test('who finds a room as full as its daemon lets it be is told so, and is in when somebody leaves', async (t) => {
  const stack = await Stack.start(t);
  await stack.startDaemon('daemon-a', { MEDIA_DAEMON_MAX_ROOM_PEERS: '1' });
  const options = { controlPlaneUrl: stack.controlPlaneUrl, roomId: 'room' };
  const alice = await Bot.join(t, { ...options, peerId: 'alice' });
  const joining = Bot.join(t, { ...options, peerId: 'bob' }, ({ state }) => {
    if (state.status === 'connecting' && state.reason?.code === 'ROOM_FULL') alice.room.leave();
  });
  assert.equal((await joining).room.state.status, 'connected');
});

test('who is put out by a backend has left for good, and is told why', async (t) => {
  const { daemon, alice, bob } = await bots(t);
  await commandsOf(t, daemon).closePeer({ roomId: 'room', peerId: 'alice', reason: 'enough' });
  await waitUntil(
    'alice is out',
    () => alice.room.state.status === 'closed',
    () => alice.room.state,
  );
  const { state } = alice.room;
  const reason = state.status === 'closed' ? state.reason : undefined;
  assert.deepEqual([reason?.code, reason?.status], ['REFUSED', 403]);
  assert.match(reason?.message ?? '', /enough/);
  await waitUntil('bob is alone', () => bob.room.peers.size === 0);
  assert.deepEqual(bob.room.remoteTracks, []);
});

test('who is muted by a backend that leaves it to them is muted, and unmutes by themselves', async (t) => {
  const { daemon, alice, bob, more } = await bots(t);
  const commands = commandsOf(t, daemon);
  const [sound] = alice.room.localTracks;
  const [heardSound] = bob.room.remoteTracks.filter(({ kind }) => kind === 'audio');
  const producerId = heardSound?.producerId ?? '';
  await commands.pauseProducer({ roomId: 'room', producerId, ownerMayResume: true });
  assert.ok(sound && heardSound);
  await waitUntil('both know that the sound is muted', () => sound.muted && heardSound.muted);
  assert.equal(sound.mutedByServer, false);
  await sound.unmute();
  await waitUntil('bob knows that the sound is not muted', () => !heardSound.muted);
  await more(10);
});

test('a sender without the SDK is known again by what it sends, when both had to come anew', async (t) => {
  const stack = await Stack.start(t);
  const daemon = await stack.startDaemon('daemon-a');
  const { port } = new URL(daemon.url);
  connectThrough(t, new Map([[port, Number(port)]]));
  const send = async () => {
    const alice = await SignalingClient.open(daemon.url, 'room', 'alice');
    const { transports } = await alice.request('joinRoom', { roomId: 'room', peerId: 'alice', transports: ['send'] });
    await connectSender(t, alice, transports.send);
    return alice;
  };
  const bob = await Bot.join(t, { controlPlaneUrl: stack.controlPlaneUrl, roomId: 'room', peerId: 'bob' });
  const came = async () => {
    await hasLive(bob, 1);
    return bob.room.remoteTracks[0];
  };
  const alice = await send();
  const track = await came();
  const producerId = track?.producerId;
  await daemon.killWorkers();
  let left = false;
  void alice.closed.then(() => (left = true));
  await waitUntil("alice's socket is closed", () => left);
  await isConnected(bob);
  await send();
  await waitUntil('the track is of another producer', () => track?.producerId !== producerId);
  assert.equal(await came(), track);
  assert.deepEqual(bob.room.remoteTracks, [track]);
});
