import { Counter, Gauge, type Registry } from 'prom-client';
import type { Drain } from '../fleet/Drain.ts';
import type { LoadMeter } from '../fleet/LoadMeter.ts';
import type { Peer } from '../peers/Peer.ts';
import type { Rooms } from '../rooms/Rooms.ts';
import type { PooledWorker, WorkerPool } from '../workers/WorkerPool.ts';

/** The parts whose state is measured. */
export type Observed = {
  readonly rooms: Rooms;
  readonly pool: WorkerPool;
  readonly sessions: { readonly disconnected: number };
  readonly load: LoadMeter;
  readonly drain: Drain;
};

/** Metrics that are computed when they are read, after `observe` was called with the parts. */
export function observedMetrics(registry: Registry): { observe(observed: Observed): void } {
  let observed: Observed | undefined;
  const registers = [registry];
  const gauge = (name: string, help: string, read: (from: Observed) => number) =>
    new Gauge({
      name: `media_daemon_${name}`,
      help,
      registers,
      collect() {
        if (observed) this.set(read(observed));
      },
    });
  gauge('rooms', 'Open rooms.', ({ rooms }) => rooms.size);
  gauge('peers', 'Peers that have joined.', ({ rooms }) => rooms.peerCount);
  gauge('producers', 'Open producers.', ({ rooms }) => sumOver(rooms, (peer) => peer.producerCount));
  gauge('consumers', 'Open consumers.', ({ rooms }) => sumOver(rooms, (peer) => peer.consumerCount));
  gauge(
    'sessions_disconnected',
    'Sessions whose socket was lost and that can be resumed.',
    ({ sessions }) => sessions.disconnected,
  );
  gauge('draining', '1 while the daemon drains.', ({ rooms }) => Number(rooms.draining));
  gauge(
    'drain_seconds_left',
    'Seconds until a drain disconnects the remaining peers; 0 without a drain.',
    ({ drain }) => drain.msLeft / 1000,
  );
  gauge('workers', 'Running mediasoup workers.', ({ pool }) => pool.workers.length);
  gauge(
    'worker_cpu_ratio',
    "The busiest worker's use of its core, 0 to 1, as reported in heartbeats.",
    ({ load }) => load.workerCpu,
  );
  gauge(
    'workers_saturated',
    'Saturated mediasoup workers, which get new rooms and peers only when all workers are saturated.',
    ({ pool }) => pool.workers.filter(({ load }) => load.saturated).length,
  );
  gauge(
    'workers_batching',
    'mediasoup workers that send the packets of one turn of their loop in one call. The others make a call for each packet.',
    ({ pool }) => pool.batches.length,
  );
  gauge('routers', 'Routers of rooms. A room has one on each of its workers.', ({ rooms }) =>
    rooms.open.reduce((sum, { mesh }) => sum + mesh.routers.length, 0),
  );
  gauge('pipes', 'Pipes: producers that are piped from one router of their room to another.', ({ rooms }) =>
    rooms.open.reduce((sum, { mesh }) => sum + mesh.pipes.length, 0),
  );
  gauge(
    'network_ratio',
    "The use of the machine's network (MEDIA_DAEMON_MAX_NETWORK_BITRATE), 0 to 1, as reported in heartbeats.",
    ({ load }) => load.network,
  );
  gauge(
    'event_loop_delay_seconds',
    'Average delay of an event by the turn of the event loop in which it arrives, as reported in heartbeats.',
    ({ load }) => load.eventLoopDelayMs / 1000,
  );
  gauge(
    'event_loop_longest_seconds',
    'The longest turn of the event loop since the metrics were last read.',
    ({ load }) => load.takeLongestMs() / 1000,
  );
  /** By the worker's slot in the pool. The counter of a replaced worker starts at 0. */
  const workerCounter = (name: string, help: string, read: (worker: PooledWorker) => number | undefined) =>
    new Counter({
      name: `media_daemon_worker_${name}_total`,
      help,
      labelNames: ['worker'],
      registers,
      collect() {
        this.reset();
        for (const worker of observed?.pool.workers ?? []) this.inc({ worker: worker.slot }, read(worker) ?? 0);
      },
    });
  workerCounter(
    'cpu_seconds',
    'CPU time of each mediasoup worker, by its slot in the pool. The counter of a replaced worker starts at 0.',
    ({ cpu }) => cpu.seconds,
  );
  workerCounter(
    'batched_packets',
    'UDP packets that each mediasoup worker sent in batches. Divided by batched_messages: packets a message.',
    ({ batch }) => batch?.read()?.datagrams,
  );
  workerCounter(
    'batched_messages',
    'Messages that carried the batched packets. The kernel splits a message into the packets of one viewer.',
    ({ batch }) => batch?.read()?.messages,
  );
  workerCounter(
    'refused_messages',
    'Messages of batches that the kernel refused, for example for a destination without a route.',
    ({ batch }) => batch?.read()?.refusedMessages,
  );
  workerCounter(
    'dropped_packets',
    'Packets of batches that were dropped, oldest first, because the socket was not writable for too long.',
    ({ batch }) => batch?.read()?.droppedDatagrams,
  );
  new Gauge({
    name: 'media_daemon_worker_consumers',
    help: 'Consumers and data consumers of each mediasoup worker, pipes included, by its slot in the pool.',
    labelNames: ['worker'],
    registers,
    collect() {
      this.reset();
      for (const { slot, load } of observed?.pool.workers ?? []) this.set({ worker: slot }, load.consumers);
    },
  });
  return {
    observe(from) {
      observed = from;
    },
  };
}

const sumOver = (rooms: Rooms, count: (peer: Peer) => number): number =>
  rooms.open.flatMap((room) => room.peers).reduce((sum, peer) => sum + count(peer), 0);
