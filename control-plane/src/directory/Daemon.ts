import { createHash } from 'node:crypto';
import { batchingSchema } from '@mediasoup-server/proto/http';
import { z } from 'zod';
import { reservationsShape } from './Reservations.ts';

/** How many hash keys of the table the daemons of one region are spread over. */
export const SHARDS_PER_REGION = 16;

const loadSchema = z.object({
  rooms: z.number(),
  peers: z.number(),
  producers: z.number(),
  consumers: z.number(),
  /** 0 to 1 of a core, of the busiest mediasoup worker. */
  workerCpu: z.number(),
  eventLoopDelayMs: z.number(),
  /** 0 to 1 of what its network carries. */
  network: z.number().default(0),
  batching: batchingSchema.optional(),
});
export type Load = z.infer<typeof loadSchema>;

export const daemonSchema = z.object({
  shard: z.string(),
  daemonId: z.string(),
  incarnation: z.string(),
  /** SHA-256 of the secret that this incarnation was given, in hexadecimal. */
  secretHash: z.string(),
  state: z.enum(['ready', 'draining', 'lost']),
  region: z.string(),
  zone: z.string(),
  /** Where frontends connect, without a path. */
  url: z.string(),
  grpcAddress: z.string(),
  version: z.string(),
  load: loadSchema,
  /** How many more peers it accepts, without those that are assigned and have not connected yet. */
  headroom: z.number(),
  /** How many peers have been assigned to this registration. */
  assigned: z.number().default(0),
  ...reservationsShape,
  /** Unix time in milliseconds. */
  heartbeatAt: z.number(),
  /** Unix time in seconds, as TTL wants it. */
  expiresAt: z.number().optional(),
});
/** A media daemon as the directory knows it. */
export type Daemon = z.infer<typeof daemonSchema>;

/** The load of a daemon that has reported none yet. */
export const noLoad: Load = {
  rooms: 0,
  peers: 0,
  producers: 0,
  consumers: 0,
  workerCpu: 0,
  eventLoopDelayMs: 0,
  network: 0,
};

/** The hash key of a daemon's row. */
export function shardOf(region: string, daemonId: string): string {
  return `${region}#${createHash('sha256').update(daemonId).digest().readUInt32BE(0) % SHARDS_PER_REGION}`;
}

/** All hash keys of a region's rows. */
export const shardsOf = (region: string): string[] =>
  Array.from({ length: SHARDS_PER_REGION }, (_, number) => `${region}#${number}`);

/** How long a daemon's row stays without a heartbeat: a week, so that an outage of the control plane loses no fleet. */
const ROW_SECONDS = 7 * 24 * 3600;

/** A row's `expiresAt` after a heartbeat, milliseconds to seconds. */
export const expiryOf = (heartbeatAt: number): number => Math.ceil(heartbeatAt / 1000) + ROW_SECONDS;

/** Whether a daemon's last heartbeat is recent enough that it need not be probed. */
export const isFresh = (daemon: Pick<Daemon, 'heartbeatAt'>, now: number, suspectAfterMs: number): boolean =>
  now - daemon.heartbeatAt <= suspectAfterMs;

/** A mean event loop delay at which a daemon counts as fully loaded: a tenth of a second is heard and seen. */
const FULL_EVENT_LOOP_DELAY_MS = 100;

/** The highest of a daemon's loads; 1 is full. */
export function loadOf({ load, headroom }: Pick<Daemon, 'load' | 'headroom'>): number {
  const seats = load.peers / Math.max(1, load.peers + headroom);
  return Math.max(load.workerCpu, load.network, seats, load.eventLoopDelayMs / FULL_EVENT_LOOP_DELAY_MS);
}
