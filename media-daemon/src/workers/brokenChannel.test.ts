import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { RequestError } from '../errors.ts';
import type { Peer } from '../peers/Peer.ts';
import { handleRequest } from '../signaling/requests.ts';
import { opusRtpParameters } from '../testing/opus.ts';
import { consume, joinRoom, testRooms } from '../testing/testRooms.ts';

/** What the schema refuses and mediasoup cannot serialize. */
const unwritable = () => ({
  kind: 'audio' as const,
  rtpParameters: { ...opusRtpParameters(), mid: 'broken', encodings: [{ ssrc: 7, maxBitrate: 0.5 }] },
});

/** Leaves the channel of the worker that a peer is on unusable, without the daemon having noticed. */
const breakChannelOf = (peer: Peer) => assert.rejects(peer.transports.of('send').produce(unwritable()), /BigInt/);

const isRunning = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

/** A room on two workers, where Alice and Bob, each on one, receive each other. */
async function twoInRoom(t: TestContext) {
  const { rooms, pool } = await testRooms(t);
  const room = await rooms.getOrCreate('room', 1);
  const alice = await joinRoom(room, 'alice');
  const bob = await joinRoom(room, 'bob');
  const produced = { kind: 'audio', appData: {} } as const;
  for (const [from, to] of [
    [alice, bob],
    [bob, alice],
  ] as const) {
    const { id: producerId } = await from.peer.producers.produce({ ...produced, rtpParameters: opusRtpParameters() });
    await consume(room, to.peer, producerId);
  }
  assert.notEqual(alice.peer.router.pooledWorker, bob.peer.router.pooledWorker);
  return { rooms, pool, room, alice, bob };
}

const hasBothWorkers = (pool: { workers: unknown[] }) => () => assert.equal(pool.workers.length, 2);
const SOON = { interval: 5, timeout: 60_000 };

test('a worker whose channel becomes unusable is replaced at once, and its room is rebuilt', async (t) => {
  const { rooms, pool } = await testRooms(t, { saturatedConsumers: 1000 });
  const room = await rooms.getOrCreate('room', 1);
  const other = await rooms.getOrCreate('other');
  const { peer: alice, notified } = await joinRoom(room, 'alice');
  const { peer: bystander } = await joinRoom(other, 'bystander');
  const struck = alice.router.pooledWorker.worker;
  assert.notEqual(bystander.router.pooledWorker.worker, struck);
  const ended: string[] = [];
  rooms.listen(({ id }, event) => event.kind === 'roomClosed' && ended.push(`${id}: ${event.end}`));
  await assert.rejects(handleRequest(alice, 'produce', unwritable()), /BigInt/);
  assert.ok(
    pool.workers.every(({ worker }) => worker !== struck),
    'it is not given to rooms any more',
  );
  await t.waitFor(() => assert.deepEqual(ended, ['room: worker']), SOON);
  assert.deepEqual(notified, [['reconnect', { reason: 'worker', deadlineMs: 0 }]]);
  await t.waitFor(hasBothWorkers(pool), SOON);
  await t.waitFor(() => assert.equal(rooms.get('room')?.epoch, 1), SOON);
  const again = rooms.get('room');
  assert.ok(again && again !== room);
  const { peer } = await joinRoom(again, 'alice');
  await peer.producers.produce({ kind: 'audio', rtpParameters: opusRtpParameters(), appData: {} });
  await bystander.producers.produce({ kind: 'audio', rtpParameters: opusRtpParameters(), appData: {} });
});

test('a worker whose channel is unusable is found without anybody asking for anything', async (t) => {
  const { pool, room, alice } = await twoInRoom(t);
  const struck = alice.peer.router.pooledWorker.worker;
  await breakChannelOf(alice.peer);
  await t.waitFor(() => assert.ok(struck.died), SOON);
  await t.waitFor(hasBothWorkers(pool), SOON);
  assert.deepEqual(
    room.peers.map(({ id }) => id),
    ['bob'],
  );
});

test('a request to a worker whose channel is unusable is answered with 503', async (t) => {
  const { alice } = await twoInRoom(t);
  await breakChannelOf(alice.peer);
  const produced = { kind: 'audio', rtpParameters: { ...opusRtpParameters(), mid: '1' }, appData: {} } as const;
  await assert.rejects(
    handleRequest(alice.peer, 'produce', produced),
    (error) => RequestError.from(error).code === 'WORKER_DIED',
  );
});

test('a peer that leaves a worker whose channel is unusable has left for the others, whose calls go on', async (t) => {
  const { pool, room, alice, bob } = await twoInRoom(t);
  await breakChannelOf(alice.peer);
  room.leave(alice.peer, { kind: 'left' });
  assert.deepEqual(room.mesh.pipes, []);
  assert.deepEqual(
    bob.notified.map(([method]) => method).filter((method) => /Left|Closed/.test(method)),
    ['producerClosed', 'peerLeft'],
  );
  await t.waitFor(() => assert.equal(bob.peer.consumerCount, 0), SOON);
  await t.waitFor(hasBothWorkers(pool), SOON);
  const { peer: carol } = await joinRoom(room, 'carol');
  const produced = { kind: 'audio', rtpParameters: opusRtpParameters(), appData: {} } as const;
  await consume(room, bob.peer, (await carol.producers.produce(produced)).id);
});

test('a room that closes on a worker whose channel is unusable leaves nothing on its other worker', async (t) => {
  const { rooms, pool, room, alice, bob } = await twoInRoom(t);
  const { worker } = bob.peer.router.pooledWorker;
  await breakChannelOf(alice.peer);
  rooms.close('shutdown');
  assert.ok(room.closed);
  assert.equal(rooms.size, 0);
  await t.waitFor(async () => assert.deepEqual((await worker.dump()).routerIds, []), SOON);
  await t.waitFor(hasBothWorkers(pool), SOON);
});

test('the pool ends also a worker whose channel is unusable', async (t) => {
  const { pool, alice } = await twoInRoom(t);
  const { pid } = alice.peer.router.pooledWorker.worker;
  await breakChannelOf(alice.peer);
  pool.close();
  await t.waitFor(() => assert.ok(!isRunning(pid)), SOON);
});
