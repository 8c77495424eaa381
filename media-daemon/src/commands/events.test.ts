import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Client, credentials, status } from '@grpc/grpc-js';
import { serviceCalls } from '@mediasoup-server/backend-client/calls';
import { type Event, LeaveReason, MediaDaemon, RoomEnd } from '@mediasoup-server/proto/daemon';
import { opusRtpParameters } from '../testing/opus.ts';
import { SignalingClient } from '../testing/SignalingClient.ts';
import { testDaemon } from '../testing/testDaemon.ts';
import { unlimitedRates } from '../testing/unlimitedRates.ts';

async function watchable(t: TestContext, environment: Record<string, string> = {}) {
  const daemon = await testDaemon(t, environment);
  const client = new Client(`127.0.0.1:${daemon.grpcPort}`, credentials.createInsecure());
  t.after(() => client.close());
  const commands = serviceCalls(MediaDaemon, client);
  /** Begins to watch: the first message says where the stream begins. */
  const watch = async (request: { roomId?: string; cursor?: string } = {}) => {
    const stream = commands.watchEvents(request);
    const first = (await stream.next()).value;
    assert.ok(first?.message.case === 'watching');
    return { stream, cursor: first.cursor, missed: first.message.value.missed };
  };
  return { ...daemon, commands, watch };
}

type Watch = Awaited<ReturnType<Awaited<ReturnType<typeof watchable>>['watch']>>;

/** The events of a stream up to the first that satisfies the condition, which ends it. */
async function eventsUntil({ stream }: Pick<Watch, 'stream'>, isLast: (event: Event) => boolean): Promise<Event[]> {
  const events: Event[] = [];
  for await (const { message } of stream) {
    if (message.case !== 'event') continue;
    events.push(message.value);
    if (isLast(message.value)) break;
  }
  return events;
}

const kindsOf = (events: readonly Event[]) => events.map(({ kind }) => kind.case);

test('`WatchEvents` of a room streams its events in order, and none of other rooms', async (t) => {
  const { commands, watch, url } = await watchable(t);
  const watching = await watch({ roomId: 'room' });
  assert.equal(watching.missed, false);
  const told = eventsUntil(watching, ({ kind }) => kind.case === 'roomClosed');
  const alice = await SignalingClient.open(url, 'room', 'alice');
  const joining = { roomId: 'room', peerId: 'alice', appData: { name: 'Alice' }, transports: ['send'] };
  const { sessionId } = await alice.request('joinRoom', joining);
  await SignalingClient.join(url, 'another room', 'mallory');
  const bob = await SignalingClient.open(url, 'room', 'bob');
  const { rtpCapabilities } = await bob.request('joinRoom', { roomId: 'room', peerId: 'bob', transports: ['recv'] });
  const { producerId } = await alice.request('produce', { kind: 'audio', rtpParameters: opusRtpParameters() });
  const { consumerId } = await bob.request('consume', { producerId, rtpCapabilities, paused: false });
  await alice.request('pauseProducer', { producerId });
  await bob.notified('consumerPaused');
  await alice.request('resumeProducer', { producerId });
  await bob.notified('consumerResumed');
  await commands.pauseProducer({ roomId: 'room', producerId });
  await bob.notified('consumerPaused');
  const losing = await watch({ roomId: 'room' });
  alice.socket.terminate();
  // A socket that comes before the other's loss was noticed takes its place: nobody was disconnected then.
  await eventsUntil(losing, ({ kind }) => kind.case === 'peerDisconnected');
  const aliceAgain = await SignalingClient.open(url, 'room', 'alice');
  await aliceAgain.request('joinRoom', { roomId: 'room', peerId: 'alice', sessionId });
  await aliceAgain.request('updateAppData', { appData: { name: 'Al' } });
  const { dataProducerId } = await aliceAgain.request('produceData', { sctpStreamParameters: { streamId: 1 } });
  await aliceAgain.request('closeDataProducer', { dataProducerId });
  await commands.closeProducer({ roomId: 'room', producerId });
  await bob.notified('producerClosed');
  await SignalingClient.join(url, 'room', 'bob');
  await commands.closePeer({ roomId: 'room', peerId: 'bob' });
  await aliceAgain.request('leaveRoom');
  const events = await told;
  assert.deepEqual(
    events.map(({ kind }) => [
      kind.case,
      ...Object.values(kind.value ?? {}).filter((value) => typeof value !== 'object'),
    ]),
    [
      ['roomCreated', 'media.v1.RoomCreated'],
      ['peerJoined', 'media.v1.PeerJoined', 'alice', '{"name":"Alice"}'],
      ['peerJoined', 'media.v1.PeerJoined', 'bob', '{}'],
      ['producerOpened', 'media.v1.ProducerOpened', 'alice'],
      ['consumerOpened', 'media.v1.ConsumerOpened', 'bob', consumerId, producerId, false],
      ['producerPaused', 'media.v1.ProducerPaused', 'alice', producerId, false],
      ['consumerPaused', 'media.v1.ConsumerPaused', 'bob', consumerId],
      ['producerResumed', 'media.v1.ProducerResumed', 'alice', producerId],
      ['consumerResumed', 'media.v1.ConsumerResumed', 'bob', consumerId],
      ['producerPaused', 'media.v1.ProducerPaused', 'alice', producerId, true],
      ['consumerPaused', 'media.v1.ConsumerPaused', 'bob', consumerId],
      ['peerDisconnected', 'media.v1.PeerDisconnected', 'alice'],
      ['peerResumed', 'media.v1.PeerResumed', 'alice'],
      ['peerUpdated', 'media.v1.PeerUpdated', 'alice', '{"name":"Al"}'],
      ['dataProducerOpened', 'media.v1.DataProducerOpened', 'alice'],
      ['dataProducerClosed', 'media.v1.DataProducerClosed', 'alice', dataProducerId],
      ['producerClosed', 'media.v1.ProducerClosed', 'alice', producerId],
      ['consumerClosed', 'media.v1.ConsumerClosed', 'bob', consumerId],
      ['peerLeft', 'media.v1.PeerLeft', 'bob', LeaveReason.REPLACED],
      ['peerJoined', 'media.v1.PeerJoined', 'bob', '{}'],
      ['peerLeft', 'media.v1.PeerLeft', 'bob', LeaveReason.REMOVED],
      ['peerLeft', 'media.v1.PeerLeft', 'alice', LeaveReason.LEFT],
      ['roomClosed', 'media.v1.RoomClosed', RoomEnd.EMPTY],
    ],
  );
  assert.ok(events.every(({ roomId, time }) => roomId === 'room' && time));
  const sequences = events.map(({ sequence }) => sequence);
  assert.deepEqual(
    sequences,
    [...sequences].sort((a, b) => Number(a - b)),
  );
});

test('`WatchEvents` streams the deaths of workers, drains, and why rooms closed and peers left', async (t) => {
  const { commands, watch, url, drain } = await watchable(t, { MEDIA_DAEMON_RESUME_GRACE_MS: '0' });
  const watching = await watch();
  const lost = await SignalingClient.join(url, 'abandoned', 'lost');
  lost.socket.terminate();
  const abandoned = await eventsUntil(watching, ({ kind }) => kind.case === 'roomClosed');
  assert.ok(abandoned.some(({ kind }) => kind.case === 'peerLeft' && kind.value.reason === LeaveReason.LOST));

  const second = await watch();
  await SignalingClient.join(url, 'room', 'alice');
  const [worker] = (await commands.getInfo({})).workers;
  process.kill(worker?.pid ?? 0, 'SIGKILL');
  const died = await eventsUntil(second, ({ kind }) => kind.case === 'workerReplaced');
  assert.ok(died.some(({ kind }) => kind.case === 'workerDied' && kind.value.pid === worker?.pid));
  assert.ok(died.some(({ kind }) => kind.case === 'peerLeft' && kind.value.reason === LeaveReason.ROOM_CLOSED));
  assert.ok(died.some(({ kind }) => kind.case === 'roomClosed' && kind.value.end === RoomEnd.WORKER));

  const third = await watch();
  const staying = await SignalingClient.join(url, 'room', 'alice');
  void drain();
  await staying.notified('reconnect');
  staying.close();
  const drained = await eventsUntil(third, ({ kind }) => kind.case === 'drainProgress' && kind.value.rooms === 0);
  assert.ok(kindsOf(drained).filter((kind) => kind === 'drainProgress').length >= 2);
});

test('a watcher that is disconnected ten times sees 10,000 events of 1,000 rooms, complete and in order', async (t) => {
  const { watch, url } = await watchable(t, {
    MEDIA_DAEMON_IP_SOCKETS_PER_SECOND: '100000',
    MEDIA_DAEMON_IP_SOCKET_BURST: '100000',
  });
  const rooms = Number(process.env.EVENT_ROOMS ?? 1000);
  const total = rooms * 10;
  let watching = await watch();
  const seen: Event[] = [];
  const watched = (async () => {
    let cursor = watching.cursor;
    while (seen.length < total) {
      const until = Math.min(total, seen.length + Math.ceil(total / 11));
      for await (const { message, cursor: reached } of watching.stream) {
        cursor = reached;
        if (message.case === 'event') seen.push(message.value);
        if (seen.length >= until) break;
      }
      watching = await watch({ cursor });
      assert.equal(watching.missed, false);
    }
  })();
  const visit = async (roomId: string) => {
    const alice = await SignalingClient.join(url, roomId, 'alice');
    for (let turn = 0; turn < 6; turn++) await alice.request('updateAppData', { appData: { turn } });
    await alice.request('leaveRoom');
    await alice.closed;
  };
  for (let from = 0; from < rooms; from += 50)
    await Promise.all(Array.from({ length: Math.min(50, rooms - from) }, (_, index) => visit(`room-${from + index}`)));
  await watched;
  assert.deepEqual(
    seen.map(({ sequence }) => Number(sequence)),
    Array.from({ length: total }, (_, index) => index + 1),
  );
  const byRoom = Map.groupBy(seen, ({ roomId }) => roomId);
  assert.equal(byRoom.size, rooms);
  const visited = ['roomCreated', 'peerJoined', ...Array(6).fill('peerUpdated'), 'peerLeft', 'roomClosed'];
  for (const events of byRoom.values()) assert.deepEqual(kindsOf(events), visited);
});

test('a watcher with a lost cursor, or one of another run, is notified and continues from the oldest kept event', async (t) => {
  const { commands, watch } = await watchable(t, { MEDIA_DAEMON_EVENT_BUFFER_BYTES: '1000' });
  const { cursor } = await watch();
  for (let room = 0; room < 50; room++) await commands.createRoom({ roomId: `room-${room}` });
  for (const old of [cursor, 'of another run:3', `${cursor.split(':')[0]}:1.5`, 'nonsense']) {
    const again = await watch({ cursor: old });
    assert.equal(again.missed, true, old);
    const events = await eventsUntil(again, ({ roomId }) => roomId === 'room-49');
    assert.ok(events.length > 1 && events.length < 50, `${events.length} events`);
    assert.equal(Number(events[0]?.sequence), 51 - events.length);
  }
});

test('a watcher of a room with a cursor of another run gets the events of the room since its last creation', async (t) => {
  const { commands, watch } = await watchable(t);
  for (let time = 0; time < 2; time++) {
    await commands.createRoom({ roomId: 'room' });
    await commands.closeRoom({ roomId: 'room' });
  }
  await commands.createRoom({ roomId: 'room' });
  await commands.createRoom({ roomId: 'another' });
  const watching = await watch({ roomId: 'room', cursor: 'of another run:3' });
  assert.equal(watching.missed, true);
  void commands.closeRoom({ roomId: 'room' });
  const events = await eventsUntil(watching, ({ kind }) => kind.case === 'roomClosed');
  assert.deepEqual(
    events.map(({ sequence, kind }) => [Number(sequence), kind.case]),
    [
      [5, 'roomCreated'],
      [7, 'roomClosed'],
    ],
  );
});

test('an ending daemon sends its watchers the remaining events, and then that it ends', async (t) => {
  const { watch, url, close } = await watchable(t);
  const { stream } = await watch();
  await SignalingClient.join(url, 'room', 'alice');
  const told: (string | undefined)[] = [];
  const ended = (async () => {
    for await (const { message } of stream) if (message.case === 'event') told.push(message.value.kind.case);
  })();
  await Promise.all([
    close(),
    assert.rejects(ended, { code: status.UNAVAILABLE, details: 'UNAVAILABLE: the daemon is stopping' }),
  ]);
  assert.deepEqual(told, ['roomCreated', 'peerJoined', 'peerLeft', 'roomClosed']);
});

test('a watcher that does not read delays nothing, and is notified of what it missed', async (t) => {
  const { commands, watch, url } = await watchable(t, {
    MEDIA_DAEMON_EVENT_BUFFER_BYTES: '100000',
    ...unlimitedRates,
  });
  const { stream } = await watch();
  const alice = await SignalingClient.join(url, 'room', 'alice');
  const appData = { text: 'x'.repeat(10_000) };
  for (let time = 0; time < 500; time++) await alice.request('updateAppData', { appData });
  await commands.closeRoom({ roomId: 'room' });
  let missed = 0;
  let reached = 0n;
  for await (const { message } of stream) {
    if (message.case === 'watching') missed += Number(message.value.missed);
    if (message.case !== 'event') continue;
    assert.ok(message.value.sequence > reached);
    reached = message.value.sequence;
    if (message.value.kind.case === 'roomClosed') break;
  }
  assert.equal(missed, 1);
});

test('the number of watchers is limited, and one that stops makes room for another', async (t) => {
  const { commands, watch, metricsPort } = await watchable(t);
  const streams = await Promise.all(Array.from({ length: 100 }, () => watch()));
  await assert.rejects(commands.watchEvents({}).next(), { code: status.RESOURCE_EXHAUSTED });
  for (const { stream } of streams) await stream.return();
  const open = async () => {
    const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
    return Number(/^media_daemon_watchers (\d+)$/m.exec(text)?.[1]);
  };
  await t.waitFor(async () => assert.equal(await open(), 0), { interval: 20, timeout: 60_000 });
  await watch();
});
