import { Counter, Gauge, type Registry } from 'prom-client';
import type { Drain } from '../fleet/Drain.ts';
import type { LoadMeter } from '../fleet/LoadMeter.ts';
import type { Peer } from '../peers/Peer.ts';
import type { Rooms } from '../rooms/Rooms.ts';
import type { PooledWorker, WorkerPool } from '../workers/WorkerPool.ts';

/** Whose state the metrics tell. */
export type Observed = {
  readonly rooms: Rooms;
  readonly pool: WorkerPool;
  readonly sessions: { readonly disconnected: number };
  readonly load: LoadMeter;
  readonly drain: Drain;
};

/** Metrics that are read whenever somebody asks for them, once `observe` has said where from. */
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
  gauge('rooms', 'Rooms that are open.', ({ rooms }) => rooms.size);
  gauge('peers', 'Peers that have joined.', ({ rooms }) => rooms.peerCount);
  gauge('producers', 'Producers that are open.', ({ rooms }) => sumOver(rooms, (peer) => peer.producerCount));
  gauge('consumers', 'Consumers that are open.', ({ rooms }) => sumOver(rooms, (peer) => peer.consumerCount));
  gauge(
    'sessions_disconnected',
    'Sessions whose socket is lost and waited for.',
    ({ sessions }) => sessions.disconnected,
  );
  gauge('draining', '1 while the rooms are being moved away.', ({ rooms }) => Number(rooms.draining));
  gauge(
    'drain_seconds_left',
    'Seconds until a drain ends what has not moved; 0 without one.',
    ({ drain }) => drain.msLeft / 1000,
  );
  gauge('workers', 'mediasoup workers that run.', ({ pool }) => pool.workers.length);
  gauge(
    'worker_cpu_ratio',
    "The busiest worker's use of its core, 0 to 1, as heartbeats tell it.",
    ({ load }) => load.workerCpu,
  );
  gauge(
    'workers_saturated',
    'mediasoup workers that are given nothing more where another can have it.',
    ({ pool }) => pool.workers.filter(({ load }) => load.saturated).length,
  );
  gauge(
    'workers_batching',
    'mediasoup workers that send in one call what a turn of their loop has; the others send each packet on its own.',
    ({ pool }) => pool.batches.length,
  );
  gauge('routers', 'Routers of rooms; a room has one on each worker that it is on.', ({ rooms }) =>
    rooms.open.reduce((sum, { mesh }) => sum + mesh.routers.length, 0),
  );
  gauge('pipes', 'Producers that are brought from one router of their room to another.', ({ rooms }) =>
    rooms.open.reduce((sum, { mesh }) => sum + mesh.pipes.length, 0),
  );
  gauge(
    'network_ratio',
    "The use of the machine's network (MEDIA_DAEMON_MAX_NETWORK_BITRATE), 0 to 1, as heartbeats tell it.",
    ({ load }) => load.network,
  );
  gauge(
    'event_loop_delay_seconds',
    'How long the turn of the event loop is that something comes into, on average, as heartbeats tell it.',
    ({ load }) => load.eventLoopDelayMs / 1000,
  );
  gauge(
    'event_loop_longest_seconds',
    'The longest that anything held up the event loop since the metrics were read last.',
    ({ load }) => load.takeLongestMs() / 1000,
  );
  /** By a worker's place in the pool; a replaced worker's begins anew. */
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
    "CPU time of each mediasoup worker, by its place in the pool; a replaced worker's begins anew.",
    ({ cpu }) => cpu.seconds,
  );
  workerCounter(
    'batched_packets',
    'UDP packets that each mediasoup worker sent in batches. Divided by the messages: packets a message.',
    ({ batch }) => batch?.read()?.datagrams,
  );
  workerCounter(
    'batched_messages',
    'Messages that carried these packets: one for several of a viewer, where the kernel cuts it apart.',
    ({ batch }) => batch?.read()?.messages,
  );
  workerCounter(
    'refused_messages',
    'Messages of batches that the kernel refused, as for a destination without a route.',
    ({ batch }) => batch?.read()?.refusedMessages,
  );
  workerCounter(
    'dropped_packets',
    'Packets of batches dropped since the socket took nothing for too long, the oldest first.',
    ({ batch }) => batch?.read()?.droppedDatagrams,
  );
  new Gauge({
    name: 'media_daemon_worker_consumers',
    help: 'Consumers and data consumers of each mediasoup worker, those of pipes too, by its place in the pool.',
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
