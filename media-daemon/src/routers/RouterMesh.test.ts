import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { types } from 'mediasoup';
import { opusRtpParameters } from '../testing/opus.ts';
import { consume, dumpOf, joinRoom, testRooms } from '../testing/testRooms.ts';

/** A room over two workers: Alice and what she sends on the one, Bob on the other. */
async function aliceAndBob(t: TestContext) {
  const { rooms } = await testRooms(t);
  const room = await rooms.getOrCreate('room');
  const { peer: alice } = await joinRoom(room, 'alice');
  const { peer: bob, notified } = await joinRoom(room, 'bob');
  assert.notEqual(alice.router, bob.router);
  const producer = await alice.producers.produce({ kind: 'audio', rtpParameters: opusRtpParameters() });
  const { id: producerId } = producer;
  /** Whether Bob's consumers know that the producer is paused. */
  const seenPaused = () => [...bob.consumers.media].map(({ producerPaused }) => producerPaused);
  return { room, alice, bob, notified, producer, producerId, seenPaused };
}

const nextTick = () => new Promise((resolve) => setImmediate(resolve));

test('a room stays on one worker until that is saturated, and then grows', async (t) => {
  const { rooms, pool } = await testRooms(t, { saturatedConsumers: 4 });
  const room = await rooms.getOrCreate('room');
  const { peer: alice } = await joinRoom(room, 'alice');
  const { peer: bob } = await joinRoom(room, 'bob');
  assert.equal(room.mesh.routers.length, 1);
  const { id: producerId } = await alice.producers.produce({ kind: 'audio', rtpParameters: opusRtpParameters() });
  const [first] = await Promise.all([1, 2, 3, 4].map(() => consume(room, bob, producerId)));
  assert.ok(first);
  assert.deepEqual(pool.workers.map(({ load }) => load.saturated).sort(), [false, true]);
  const { peer: carol } = await joinRoom(room, 'carol');
  assert.equal(bob.router, alice.router);
  assert.notEqual(carol.router, alice.router);
  bob.consumers.closeConsumer(first.consumerId);
  assert.ok(alice.router.pooledWorker.load.saturated, 'a little less is no relief');
  await consume(room, bob, producerId);
  const other = await rooms.getOrCreate('other');
  const another = await rooms.getOrCreate('another');
  assert.deepEqual(
    [other, another].map(({ mesh }) => mesh.routers[0]?.pooledWorker),
    [carol.router.pooledWorker, carol.router.pooledWorker],
    'new rooms go elsewhere too',
  );
});

test('consumers on another router that are created at once share one pipe, which closes with the last', async (t) => {
  const { room, bob, producerId } = await aliceAndBob(t);
  const { peer: carol } = await joinRoom(room, 'carol');
  const { peer: dave } = await joinRoom(room, 'dave');
  assert.deepEqual([carol.router === bob.router, dave.router === bob.router], [false, true]);
  const alone = await dumpOf(room);
  const receivers = [bob, dave, bob, dave];
  const consumers = await Promise.all(receivers.map((peer) => consume(room, peer, producerId)));
  assert.deepEqual(
    room.mesh.pipes.map(({ users }) => users),
    [4],
  );
  const [near, far] = await dumpOf(room);
  assert.deepEqual([near?.consumers, far?.producers, far?.consumers], [1, 1, 4]);
  for (const [index, peer] of receivers.entries()) {
    assert.equal(room.mesh.pipes.length, 1);
    peer.consumers.closeConsumer(consumers[index]?.consumerId ?? '');
  }
  assert.deepEqual(room.mesh.pipes, []);
  const after = await dumpOf(room);
  assert.deepEqual(
    after.map(({ transports, ...rest }) => ({ transports: transports - 1, ...rest })),
    alone,
    'nothing but the link is left',
  );
});

test('workers retransmit packets that are lost between them', async (t) => {
  const { room, bob, producerId } = await aliceAndBob(t);
  const ends: types.Transport[] = [];
  (await bob.router.opened).observer.on('newtransport', (end) => ends.push(end));
  await consume(room, bob, producerId);
  // docs/operate/long-runs.md has the results of a run in which the kernel dropped packets.
  assert.deepEqual(await Promise.all(ends.map(async (end) => (await (end as types.PipeTransport).dump()).rtx)), [true]);
});

test('a pipe that is abandoned while it is created leaves nothing', async (t) => {
  const { room, alice, bob, producer, producerId } = await aliceAndBob(t);
  const { peer: dave } = await joinRoom(room, 'carol').then(() => joinRoom(room, 'dave'));
  assert.equal(dave.router, bob.router);
  const given = consume(room, dave, producerId);
  room.leave(dave, { kind: 'left' });
  await assert.rejects(given);
  assert.deepEqual(room.mesh.pipes, []);

  producer.close();
  for (let ticks = 0; ticks < 30; ticks++) {
    const produced = { kind: 'audio', rtpParameters: opusRtpParameters(), appData: {} } as const;
    const { id: shortLived } = await alice.producers.produce(produced);
    const waiting = Promise.allSettled([consume(room, bob, shortLived), consume(room, bob, shortLived)]);
    for (let tick = 0; tick < ticks; tick++) await nextTick();
    alice.producers.closeProducer(shortLived);
    await waiting;
    await t.waitFor(() => assert.equal(bob.consumerCount, 0), { interval: 5, timeout: 60_000 });
  }
  assert.deepEqual(room.mesh.pipes, []);
  const [near, far] = await dumpOf(room);
  assert.deepEqual([near?.consumers, near?.producers, far?.producers, far?.consumers], [0, 0, 0, 0]);
});

test('a consumer on another router follows the pauses of its producer, however fast they change', async (t) => {
  const { room, bob, producer, producerId, seenPaused } = await aliceAndBob(t);
  for (let round = 0; round < 20; round++) {
    const consuming = consume(room, bob, producerId);
    const pausing: Promise<void>[] = [];
    for (let change = 0; change <= round; change++) {
      pausing.push((round + change) % 2 ? producer.pause() : producer.resume());
      for (let ticks = 0; ticks < round; ticks++) await nextTick();
    }
    const { consumerId } = await consuming;
    await Promise.all(pausing);
    await t.waitFor(() => assert.deepEqual(seenPaused(), [producer.paused]), { interval: 5, timeout: 60_000 });
    bob.consumers.closeConsumer(consumerId);
  }
  assert.deepEqual(room.mesh.pipes, []);
});

test('data producers are piped as producers are', async (t) => {
  const { room, alice, bob } = await aliceAndBob(t);
  const { id: dataProducerId } = await alice.producers.produceData({ sctpStreamParameters: { streamId: 1 } });
  const consumed = await Promise.all([1, 2].map(() => bob.consumers.consumeData(dataProducerId)));
  const [near, far] = await dumpOf(room);
  assert.deepEqual([near?.dataConsumers, far?.dataProducers, far?.dataConsumers], [1, 1, 2]);
  for (const { dataConsumer } of consumed) bob.consumers.closeDataConsumer(dataConsumer.id);
  assert.deepEqual(room.mesh.pipes, []);
  await bob.consumers.consumeData(dataProducerId);
  alice.producers.closeDataProducer(dataProducerId);
  assert.deepEqual(room.mesh.pipes, []);
  const ends = await dumpOf(room);
  assert.deepEqual(
    ends.map(({ dataConsumers, dataProducers }) => dataConsumers + dataProducers),
    [0, 0],
  );
});

test('a router closes with its last peer while the room goes on', async (t) => {
  const { room, alice, bob, producerId } = await aliceAndBob(t);
  await consume(room, bob, producerId);
  const routers = await Promise.all(room.mesh.routers.map(({ opened }) => opened));
  room.leave(bob, { kind: 'left' });
  assert.deepEqual(room.mesh.routers, [alice.router]);
  assert.deepEqual(routers.map((router: types.Router) => router.closed).sort(), [false, true]);
  const [alone] = await dumpOf(room);
  assert.deepEqual(alone, { transports: 2, producers: 1, consumers: 0, dataProducers: 0, dataConsumers: 0 });
});

test('messages of a data producer arrive on another router, from the first one on', async (t) => {
  const { room, alice, bob } = await aliceAndBob(t);
  const [near, far] = await Promise.all(
    [alice, bob].map(async ({ router }) => (await router.opened).createDirectTransport()),
  );
  assert.ok(near && far);
  const dataProducer = await near.produceData({ label: 'chat' });
  const dataConsumer = await room.mesh.receive(dataProducer, alice.router, bob.router, () =>
    far.consumeData({ dataProducerId: dataProducer.id }),
  );
  assert.equal(dataConsumer.label, 'chat');
  const said = Array.from({ length: 100 }, (_, index) => `message ${index}`);
  const heard: string[] = [];
  dataConsumer.on('message', (message) => heard.push(message.toString()));
  for (const text of said) dataProducer.send(text);
  await t.waitFor(() => assert.deepEqual(heard, said), { interval: 10, timeout: 60_000 });
});
