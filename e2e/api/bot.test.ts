import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { SignalingClient } from '@mediasoup-server/media-daemon/testing/SignalingClient';
import { Bot } from '../support/Bot.ts';
import { callBots, liveTracks, startBotFleet, untilStatus } from '../support/bots.ts';
import { connectThrough } from '../support/programSockets.ts';
import { connectSender } from '../support/rtp.ts';
import { commandsOf, Stack } from '../support/stack.ts';
import { waitUntil } from '../support/waitUntil.ts';

/** One fleet serves these tests: each has a room of its own. */
const fleet = await startBotFleet({ after });

test('the SDK in Node sends and receives sound, pictures and messages', async (t) => {
  const { alice, bob } = await callBots(t, fleet);
  const messages: unknown[][] = [];
  bob.room.on('dataReceived', (...received) => messages.push(received));
  alice.room.send('hello');
  await waitUntil('a message came', () => messages.length > 0);
  assert.deepEqual(messages, [['alice', 'hello']]);
});

test('a peer that a backend mutes with ownerMayResume is muted and can unmute itself', async (t) => {
  const { daemon, roomId, alice, bob, receivesMore } = await callBots(t, fleet);
  const commands = commandsOf(t, daemon);
  const [sound] = alice.room.localTracks;
  const [heardSound] = bob.room.remoteTracks.filter(({ kind }) => kind === 'audio');
  assert.ok(sound && heardSound);
  const { producerId = '' } = heardSound;
  await commands.pauseProducer({ roomId, producerId, ownerMayResume: true });
  const muted = () => [sound.muted, heardSound.muted];
  await waitUntil('both peers see the track muted', () => muted().every(Boolean), muted);
  assert.equal(sound.mutedByServer, false);
  await sound.unmute();
  await waitUntil('Bob sees the track unmuted', () => !heardSound.muted);
  await receivesMore(10);
});

test('a peer that a backend removes has left for good and gets the reason', async (t) => {
  const { daemon, roomId, alice, bob } = await callBots(t, fleet);
  await commandsOf(t, daemon).closePeer({ roomId, peerId: 'alice', reason: 'enough' });
  await untilStatus(alice, 'closed');
  const { state } = alice.room;
  assert.ok(state.status === 'closed');
  assert.deepEqual([state.reason?.code, state.reason?.status], ['REFUSED', 403]);
  assert.match(state.reason?.message ?? '', /enough/);
  await waitUntil('Bob is alone', () => bob.room.peers.size === 0);
  assert.deepEqual(bob.room.remoteTracks, []);
});

test('a bot waits while the room is full and joins when a peer leaves', async (t) => {
  const stack = await Stack.start(t);
  await stack.startDaemon('daemon-a', { MEDIA_DAEMON_MAX_ROOM_PEERS: '1' });
  const options = { controlPlaneUrl: stack.controlPlaneUrl, roomId: 'room' };
  const alice = await Bot.join(t, { ...options, peerId: 'alice' });
  const joining = Bot.join(t, { ...options, peerId: 'bob' }, ({ state }) => {
    if (state.status === 'connecting' && state.reason?.code === 'ROOM_FULL') alice.room.leave();
  });
  assert.equal((await joining).room.state.status, 'connected');
});

test('a sender without the SDK gets the same RemoteTrack after both peers joined again', async (t) => {
  const daemon = fleet.daemons.get('daemon-a') ?? assert.fail();
  const { port } = new URL(daemon.url);
  connectThrough(t, new Map([[port, Number(port)]]));
  const send = async () => {
    const alice = await SignalingClient.open(daemon.url, 'bare', 'alice');
    const { transports } = await alice.request('joinRoom', { roomId: 'bare', peerId: 'alice', transports: ['send'] });
    await connectSender(t, alice, transports.send);
    return alice;
  };
  const { controlPlaneUrl } = fleet.stack;
  const bob = await Bot.join(t, { controlPlaneUrl, roomId: 'bare', peerId: 'bob' });
  const isLive = () => waitUntil('the first track is live', () => liveTracks(bob)[0] === bob.room.remoteTracks[0]);
  const alice = await send();
  await waitUntil('Bob has a track', () => bob.room.remoteTracks.length > 0);
  await isLive();
  const [track] = bob.room.remoteTracks;
  const producerId = track?.producerId;
  await daemon.killWorkers();
  await alice.closed;
  await untilStatus(bob, 'connected');
  await send();
  await waitUntil('the track has another producer', () => track?.producerId !== producerId);
  await isLive();
  assert.deepEqual(bob.room.remoteTracks, [track]);
});
