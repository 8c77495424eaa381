import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { observer, type types } from 'mediasoup';
import { RequestError } from '../errors.ts';
import type { Peer } from '../peers/Peer.ts';
import type { Room } from '../rooms/Room.ts';
import { snapshotOf } from '../signaling/snapshot.ts';
import { opusRtpParameters } from '../testing/opus.ts';
import { consume, dumpOf, joinRoom, testRooms } from '../testing/testRooms.ts';

/** How many meetings are tried; `make soak` has more. */
const RUNS = Number(process.env.FUZZ_RUNS ?? 15);
const WORKERS = 3;
const WAIT = { interval: 5, timeout: 60_000 };

const which = fc.nat(30);
const does = (verb: string) => fc.constant(verb);
/** What one of them does; `waits` says whether the next does something only when that is done. */
const step = fc.record({
  verb: fc.oneof(
    { weight: 6, arbitrary: does('join') },
    { weight: 2, arbitrary: does('leave') },
    { weight: 5, arbitrary: does('produce') },
    { weight: 2, arbitrary: does('produceData') },
    { weight: 5, arbitrary: does('consume') },
    { weight: 5, arbitrary: does('consumePaused') },
    { weight: 10, arbitrary: does('pauseConsumer') },
    { weight: 8, arbitrary: does('resumeConsumer') },
    { weight: 4, arbitrary: does('consumeData') },
    { weight: 3, arbitrary: does('pause') },
    { weight: 3, arbitrary: does('resume') },
    { weight: 2, arbitrary: does('closeProducer') },
    { weight: 4, arbitrary: does('closeConsumer') },
    { weight: 1, arbitrary: does('kill') },
  ),
  who: which,
  what: which,
  waits: fc.boolean(),
});

/** What every meeting begins with. */
const opening = ['join', 'join', 'join', 'join', 'join', 'produce', 'produce', 'produceData'].map((verb, who) => ({
  verb,
  who,
  what: 0,
  waits: true,
}));

const pick = <T>(from: Iterable<T>, index: number): T | undefined => {
  const all = [...from];
  return all[index % Math.max(all.length, 1)];
};

/** @returns whether it was still there: of several that die at once one may be gone before mediasoup notices. */
function kill(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

/** What the routers of a room must have, counted from what its peers have. */
function expectedIn(room: Room) {
  const { routers, pipes } = room.mesh;
  const sum = (peers: readonly Peer[], count: (peer: Peer) => number) =>
    peers.reduce((total, peer) => total + count(peer), 0);
  return routers.map((router) => {
    const peers = room.peers.filter((peer) => peer.router === router);
    const to = pipes.filter((pipe) => pipe.to === router);
    const from = pipes.filter((pipe) => pipe.from === router);
    const isMedia = ({ sent }: { sent: object }) => 'kind' in sent;
    const [mediaTo, mediaFrom] = [to.filter(isMedia).length, from.filter(isMedia).length];
    return {
      producers: sum(peers, (peer) => peer.producerCount) + mediaTo,
      consumers: sum(peers, (peer) => peer.consumerCount) + mediaFrom,
      dataProducers: sum(peers, (peer) => peer.producers.data.size) + to.length - mediaTo,
      dataConsumers: sum(peers, (peer) => peer.consumers.data.size) + from.length - mediaFrom,
    };
  });
}

/** What must be piped: each thing that is received on another router than its own, and by how many. */
function receivedElsewhere(room: Room): Map<string, number> {
  const counted = new Map<string, number>();
  for (const peer of room.peers) {
    const { media, data } = peer.consumers;
    const received = [
      ...[...media].map(({ producerId }) => [producerId, room.producers.find(producerId)] as const),
      ...[...data].map(({ dataProducerId }) => [dataProducerId, room.producers.findData(dataProducerId)] as const),
    ];
    for (const [id, producer] of received) {
      if (producer?.router === peer.router) continue;
      const key = `${id} to ${peer.router.pooledWorker.slot}`;
      counted.set(key, (counted.get(key) ?? 0) + 1);
    }
  }
  return counted;
}

/** What must flow over pipes: what is received elsewhere by somebody who does not pause, and is not paused itself. */
function wanted(room: Room): string[] {
  const flows = room.peers.flatMap(({ router, consumers }) =>
    [...consumers.media].flatMap(({ producerId, paused }) => {
      const producer = room.producers.find(producerId);
      const flows = producer?.router !== router && !paused && !producer?.paused;
      return flows ? [`${producerId} to ${router.pooledWorker.worker.pid}`] : [];
    }),
  );
  return [...new Set(flows)].sort();
}

/** Watches the pipes of all workers from now on; answers, by the workers' own account, what flows into them and out of them. */
function watchPipes() {
  const into = new Set<types.Consumer>();
  const out = new Map<types.Producer, number>();
  observer.on('newworker', ({ pid, observer: worker }) =>
    worker.on('newrouter', ({ observer: router }) =>
      router.on('newtransport', (transport) => {
        if (transport.type !== 'pipe') return;
        transport.observer.on('newconsumer', (consumer) => into.add(consumer));
        transport.observer.on('newproducer', (producer) => out.set(producer, pid));
      }),
    ),
  );
  return async () => {
    const flowing = { into: [] as string[], out: [] as string[] };
    for (const consumer of into) {
      if (consumer.closed) into.delete(consumer);
      else {
        const { paused, producerPaused } = await consumer.dump();
        if (!paused && !producerPaused) flowing.into.push(consumer.producerId);
      }
    }
    for (const [producer, pid] of out) {
      if (producer.closed) out.delete(producer);
      else if (!(await producer.dump()).paused) flowing.out.push(`${producer.id} to ${pid}`);
    }
    return { into: flowing.into.sort(), out: flowing.out.sort() };
  };
}

const piped = (room: Room) =>
  new Map(room.mesh.pipes.map(({ sent, to, users }) => [`${sent.id} to ${to.pooledWorker.slot}`, users]));

test('whatever peers do and whichever worker dies, pipes are just where they are needed, and in the end nothing is left', async (t) => {
  const flowing = watchPipes();
  const { rooms, pool } = await testRooms(t, { workers: WORKERS });
  const handlers = async () => {
    const dumps = await Promise.all(pool.workers.map(({ worker }) => worker.dump()));
    return dumps.map(({ routerIds, channelMessageHandlers: { channelRequestHandlers } }) => [
      routerIds.length,
      channelRequestHandlers.length,
    ]);
  };
  const empty = await handlers();
  const counts = { done: 0, refused: 0, pipes: 0, kills: 0 };

  async function run(steps: { verb: string; who: number; what: number; waits: boolean }[], run: number) {
    const roomId = `room ${run}`;
    const doing: Promise<unknown>[] = [];
    const room = () => rooms.get(roomId);
    let names = 0;
    const act = async (verb: string, who: number, what: number): Promise<unknown> => {
      if (verb === 'join') {
        const joined = await rooms.getOrCreate(roomId);
        return joinRoom(joined, `peer ${names++}`);
      }
      if (verb === 'kill') {
        const struck = pick(pool.workers, who)?.worker;
        if (struck && kill(struck.pid)) counts.kills++;
        return undefined;
      }
      const at = room();
      const peer = pick(at?.peers ?? [], who);
      if (!at || !peer) return undefined;
      const { producers, consumers } = peer;
      const others = at.othersThan(peer);
      const theirs = pick(
        others.flatMap((other) => [...other.producers.media]),
        what,
      );
      const theirData = pick(
        others.flatMap((other) => [...other.producers.data]),
        what,
      );
      const own = pick(producers.media, what);
      const received = pick(consumers.media, what);
      switch (verb) {
        case 'leave':
          return at.leave(peer, { kind: 'left' });
        case 'produce':
          return producers.produce({
            kind: 'audio',
            rtpParameters: { ...opusRtpParameters(), mid: `m${names++}` },
            appData: {},
          });
        case 'produceData':
          return producers.produceData({ sctpStreamParameters: { streamId: names++ } });
        case 'consume':
          return theirs && consume(at, peer, theirs.id);
        case 'consumePaused':
          return theirs && consume(at, peer, theirs.id, true);
        case 'pauseConsumer':
          return received && consumers.pauseConsumer(received.id);
        case 'resumeConsumer':
          return received && consumers.resumeConsumer(received.id);
        case 'consumeData':
          return theirData && consumers.consumeData(theirData.id);
        case 'pause':
          return own && producers.pauseProducer(own.id);
        case 'resume':
          return own && producers.resumeProducer(own.id);
        case 'closeProducer':
          return own && producers.closeProducer(own.id);
        case 'closeConsumer':
          return received && consumers.closeConsumer(received.id);
        default:
          throw new Error(`nobody knows how to ${verb}`);
      }
    };
    for (const { verb, who, what, waits } of [...opening, ...steps]) {
      const done = act(verb, who, what).then(
        () => counts.done++,
        (error) => {
          counts.refused++;
          assert.notEqual(RequestError.from(error).code, 'INTERNAL', `${verb}: ${error}`);
        },
      );
      doing.push(done);
      if (waits) await done;
    }
    await Promise.all(doing);
    await t.waitFor(() => assert.equal(pool.workers.length, WORKERS), WAIT);
    const at = room();
    if (at) {
      await t.waitFor(async () => {
        assert.deepEqual(piped(at), receivedElsewhere(at));
        const dumps = await dumpOf(at);
        assert.deepEqual(
          dumps.map(({ transports, ...rest }) => rest),
          expectedIn(at),
        );
        for (const [index, router] of at.mesh.routers.entries()) {
          const links = (dumps[index]?.transports ?? 0) - 2 * router.peerCount;
          assert.ok(links >= 0 && links < at.mesh.routers.length, `${links} ends of links on one router`);
        }
        for (const peer of at.peers)
          for (const { producerId, producerPaused } of snapshotOf(peer, at.viewOf(peer)).consumers)
            assert.equal(producerPaused, at.producers.find(producerId)?.source.paused);
        const out = wanted(at);
        assert.deepEqual(await flowing(), { into: out.map((pipe) => pipe.split(' ')[0]), out });
      }, WAIT);
      counts.pipes += at.mesh.pipes.length;
      for (const peer of at.peers) at.leave(peer, { kind: 'left' });
    }
    assert.equal(room(), undefined);
    await t.waitFor(async () => assert.deepEqual(await handlers(), empty), WAIT);
    for (const { load } of pool.workers) assert.equal(load.consumers, 0);
  }

  let number = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 100, size: 'max' }), (steps) => run(steps, number++)),
    { numRuns: RUNS, endOnFailure: true },
  );
  t.diagnostic(
    `${RUNS} meetings: ${counts.done} done, ${counts.refused} refused, ${counts.kills} workers killed, ${counts.pipes} pipes at the end`,
  );
});
