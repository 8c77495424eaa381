import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Rooms } from '../rooms/Rooms.ts';
import type { Sessions } from '../signaling/Sessions.ts';
import type { WorkerPool } from '../workers/WorkerPool.ts';

/** What the daemon counts. Every name starts with `media_daemon_`. */
export type Metrics = {
  readonly registry: Registry;
  readonly sockets: Gauge;
  readonly requests: Counter<'method' | 'code'>;
  /** `opened`, `resumed`, `expired`, `ended`. */
  readonly sessionEvents: Counter<'event'>;
  /** What was refused or cut because of a limit, by the limit. */
  readonly limited: Counter<'limit'>;
  readonly commands: Counter<'method' | 'code'>;
  readonly commandSeconds: Histogram<'method'>;
  /** What happened, by kind: `peerJoined`. */
  readonly events: Counter<'kind'>;
  readonly watchers: Gauge;
  readonly heartbeats: Counter<'outcome'>;
  readonly claims: Counter<'outcome'>;
  readonly workerDeaths: Counter;
  /** Counts these whenever the metrics are asked for. */
  observe(rooms: Rooms, pool: WorkerPool, sessions: Sessions): void;
};

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const name = (rest: string) => `media_daemon_${rest}`;
  return {
    registry,
    sockets: new Gauge({ name: name('sockets'), help: 'WebSockets that are open.', registers }),
    requests: new Counter({
      name: name('requests_total'),
      help: 'Signaling requests by method and code.',
      labelNames: ['method', 'code'],
      registers,
    }),
    sessionEvents: new Counter({
      name: name('session_events_total'),
      help: 'Sessions that were opened, resumed after a lost socket, expired without one, and ended.',
      labelNames: ['event'],
      registers,
    }),
    limited: new Counter({
      name: name('limited_total'),
      help: 'What was refused or cut because it was over a limit.',
      labelNames: ['limit'],
      registers,
    }),
    commands: new Counter({
      name: name('commands_total'),
      help: 'gRPC calls by method and status.',
      labelNames: ['method', 'code'],
      registers,
    }),
    commandSeconds: new Histogram({
      name: name('command_seconds'),
      help: 'Seconds that a gRPC call took.',
      labelNames: ['method'],
      registers,
    }),
    events: new Counter({
      name: name('events_total'),
      help: 'What happened, as gRPC watchers are told it, by kind.',
      labelNames: ['kind'],
      registers,
    }),
    watchers: new Gauge({ name: name('watchers'), help: 'WatchEvents streams that are open.', registers }),
    heartbeats: new Counter({
      name: name('heartbeats_total'),
      help: 'Heartbeats by outcome.',
      labelNames: ['outcome'],
      registers,
    }),
    claims: new Counter({
      name: name('claims_total'),
      help: 'Rooms claimed at the control plane by outcome.',
      labelNames: ['outcome'],
      registers,
    }),
    workerDeaths: new Counter({ name: name('worker_deaths_total'), help: 'mediasoup workers that died.', registers }),
    observe(rooms, pool, sessions) {
      const gauge = (rest: string, help: string, read: () => number) =>
        new Gauge({
          name: name(rest),
          help,
          registers,
          collect() {
            this.set(read());
          },
        });
      const peers = () => rooms.list().flatMap((room) => room.peers);
      gauge('rooms', 'Rooms that are open.', () => rooms.size);
      gauge('draining', '1 while the rooms are being moved away.', () => Number(rooms.draining));
      gauge('peers', 'Peers that have joined.', () => rooms.peerCount);
      gauge('sessions_disconnected', 'Sessions whose socket is lost and waited for.', () => sessions.disconnected);
      gauge('producers', 'Producers that are open.', () => peers().reduce((sum, peer) => sum + peer.producerCount, 0));
      gauge('consumers', 'Consumers that are open.', () => peers().reduce((sum, peer) => sum + peer.consumerCount, 0));
      gauge('workers', 'mediasoup workers that run.', () => pool.workers.length);
    },
  };
}
