import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { serviceCalls } from '@mediasoup-server/backend-client/calls';
import { openChannel } from '@mediasoup-server/backend-client/channel';
import { LeaveReason, MediaDaemon } from '@mediasoup-server/proto/daemon';
import { opusRtpParameters } from '../testing/opus.ts';
import { SignalingClient } from '../testing/SignalingClient.ts';
import { testDaemon } from '../testing/testDaemon.ts';
import { consume, dumpOf, joinRoom, testRooms } from '../testing/testRooms.ts';

/** A room over two workers: Alice and Carol on the one, Bob and Dave on the other, all sending. */
async function fourPeers(t: TestContext) {
  const { url, grpcPort } = await testDaemon(t, {
    MEDIA_DAEMON_WORKERS: '2',
    MEDIA_DAEMON_SATURATED_CONSUMERS: '0',
  });
  const channel = openChannel(`127.0.0.1:${grpcPort}`);
  t.after(() => channel.close());
  const commands = serviceCalls(MediaDaemon, channel);
  const join = async (peerId: string) => {
    const client = await SignalingClient.open(url, 'room', peerId);
    const joining = { roomId: 'room', peerId, transports: ['send', 'recv'] };
    const { rtpCapabilities } = await client.request('joinRoom', joining);
    const produced = { kind: 'audio', rtpParameters: opusRtpParameters() };
    const { producerId } = await client.request('produce', produced);
    return { client, peerId, producerId, rtpCapabilities };
  };
  return { commands, join, peers: [await join('alice'), await join('bob'), await join('carol'), await join('dave')] };
}

test('S60 the death of one of a room’s workers affects only its peers, which join the room again', async (t) => {
  const { commands, join, peers } = await fourPeers(t);
  const { room } = await commands.createRoom({ roomId: 'room', epoch: 7n });
  for (const { client, rtpCapabilities } of peers)
    for (const { client: owner, producerId } of peers)
      if (owner !== client) await client.request('consume', { producerId, rtpCapabilities });
  const { workers } = await commands.getInfo({});
  const watched: string[] = [];
  const watching = (async () => {
    for await (const { message } of commands.watchEvents({ roomId: 'room' })) {
      const kind = message.case === 'event' ? message.value.kind : undefined;
      if (kind?.case === 'peerLeft' && kind.value.reason === LeaveReason.WORKER) watched.push(kind.value.peerId);
      if (kind?.case === 'peerJoined') break;
    }
  })();
  process.kill(Number(workers[0]?.pid), 'SIGKILL');
  const struck = await Promise.race(peers.map(({ client, peerId }) => client.closed.then(() => peerId)));
  const together = struck === 'alice' || struck === 'carol' ? ['alice', 'carol'] : ['bob', 'dave'];
  const gone = peers.filter(({ peerId }) => together.includes(peerId));
  const stayed = peers.filter(({ peerId }) => !together.includes(peerId));
  for (const { client } of gone) {
    assert.deepEqual(await client.notified('reconnect'), { reason: 'worker', deadlineMs: 0 });
    assert.equal(await client.closed, 1012);
    for (const name of ['transportClosed', 'producerClosed', 'peerLeft'])
      assert.ok(!client.unread.includes(name), 'nothing else of what ended with the worker');
  }
  for (const { client } of stayed)
    for (const { peerId, producerId } of gone) {
      assert.deepEqual(await client.notified('producerClosed'), { producerId, peerId });
      assert.deepEqual(await client.notified('peerLeft'), { peerId });
    }
  const again = await join(gone[0]?.peerId ?? '');
  for (const { client, rtpCapabilities } of stayed) {
    await client.notified('newProducer', ({ producerId }) => producerId === again.producerId);
    await client.request('consume', { producerId: again.producerId, rtpCapabilities });
    assert.ok(!client.unread.includes('reconnect'));
  }
  for (const { producerId } of stayed)
    await again.client.request('consume', { producerId, rtpCapabilities: again.rtpCapabilities });
  const { room: after } = await commands.getRoom({ roomId: 'room' });
  assert.deepEqual([after?.epoch, after?.createdAt], [7n, room?.createdAt], 'it is the same room');
  await watching;
  assert.deepEqual(
    watched,
    gone.map(({ peerId }) => peerId),
  );
});

test('the death of the worker that all peers of a room are on ends the room, also where it has another router', async (t) => {
  const { rooms, pool } = await testRooms(t, { saturatedConsumers: 1 });
  const ends: string[] = [];
  rooms.listen(({ id }, event) => event.kind === 'roomClosed' && ends.push(`${id}: ${event.end}`));
  const room = await rooms.getOrCreate('room');
  await rooms.getOrCreate('other');
  const filling = await rooms.getOrCreate('filling');
  const { peer: sending } = await joinRoom(filling, 'sending');
  const { peer: receiving } = await joinRoom(filling, 'receiving');
  const produced = { kind: 'audio', rtpParameters: opusRtpParameters(), appData: {} } as const;
  await consume(filling, receiving, (await sending.producers.produce(produced)).id);
  assert.deepEqual(
    pool.workers.map(({ load }) => load.saturated),
    [true, false],
  );
  const { peer: alice, notified } = await joinRoom(room, 'alice');
  assert.equal(room.mesh.routers.length, 2);
  process.kill(alice.router.pooledWorker.worker.pid, 'SIGKILL');
  await t.waitFor(() => assert.ok(ends.includes('room: worker'), ends.join()), { interval: 5, timeout: 60_000 });
  assert.deepEqual(
    notified.map(([method]) => method),
    ['reconnect'],
  );
});

test('a worker that dies while pipes are created or changed on it leaves no half of a pipe', async (t) => {
  const { rooms, pool } = await testRooms(t);
  for (let round = 0; round < 5; round++) {
    await t.waitFor(() => assert.equal(pool.workers.length, 2), { interval: 5, timeout: 60_000 });
    const room = await rooms.getOrCreate(`room ${round}`);
    const { peer: alice } = await joinRoom(room, 'alice');
    const { peer: bob } = await joinRoom(room, 'bob');
    const producing = () =>
      alice.producers.produce({ kind: 'audio', rtpParameters: { ...opusRtpParameters(), mid: '' }, appData: {} });
    const made = [await producing(), await producing(), await producing()];
    await consume(room, bob, made[0]?.id ?? '');
    const struck = round % 2 ? alice : bob;
    const stayed = round % 2 ? bob : alice;
    const doing = made.flatMap(({ id: producerId }) => [
      consume(room, bob, producerId),
      alice.producers.pauseProducer(producerId),
    ]);
    process.kill(struck.router.pooledWorker.worker.pid, 'SIGKILL');
    await Promise.allSettled(doing);
    await t.waitFor(() => assert.deepEqual(room.peers, [stayed]), { interval: 5, timeout: 60_000 });
    assert.deepEqual(room.mesh.pipes, []);
    assert.deepEqual(room.mesh.routers, [stayed.router]);
    const [left] = await dumpOf(room);
    assert.deepEqual(left, {
      transports: 2,
      producers: stayed === alice ? 3 : 0,
      consumers: 0,
      dataProducers: 0,
      dataConsumers: 0,
    });
    room.close('command');
  }
});
