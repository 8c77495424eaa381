import type { MessageInitShape } from '@bufbuild/protobuf';
import { durationMs } from '@bufbuild/protobuf/wkt';
import { idSchema } from '@mediasoup-server/proto/ids';
import {
  type Batching,
  DaemonState,
  type HeartbeatRequest,
  type HeartbeatResponseSchema,
} from '@mediasoup-server/proto/registry';
import type { Logger } from '@mediasoup-server/server-kit/logger';
import { HttpProblem } from '@mediasoup-server/server-kit/problem';
import { z } from 'zod';
import type { Metrics } from '../metrics.ts';
import { type Load, noLoad, shardOf } from './Daemon.ts';
import type { DaemonSecret } from './DaemonSecret.ts';
import type { DaemonTable } from './DaemonTable.ts';
import type { LoadLog } from './LoadLog.ts';
import type { Refusals, RoomTable } from './RoomTable.ts';

/** The greatest epoch that is accepted. It leaves room for every later placement. */
const MAX_REPORTED_EPOCH = 2 ** 48;

/** How many closed rooms are written at once. */
const CLOSE_BATCH = 25;

/** The greatest value of a load that is accepted; the table does not store arbitrarily large numbers. */
const MAX_MEASURE = 1e9;
/** The longest time for which a peer is refused, ms: a day. */
const MAX_REFUSAL_MS = 24 * 3600 * 1000;

const states = new Map<DaemonState, 'ready' | 'draining'>([
  [DaemonState.READY, 'ready'],
  [DaemonState.DRAINING, 'draining'],
]);

type HeartbeatParts = {
  readonly daemons: DaemonTable;
  readonly rooms: RoomTable;
  readonly loads?: Pick<LoadLog, 'report'> | undefined;
  readonly metrics: Pick<Metrics, 'reportEntriesLeft'>;
  readonly logger: Logger;
};

/** What the answer to a heartbeat reports. */
type HeartbeatOutcome = Required<
  Pick<
    MessageInitShape<typeof HeartbeatResponseSchema>,
    'fenced' | 'superseded' | 'assigned' | 'raised' | 'unprocessed'
  >
>;

/**
 * Stores what a daemon reports and answers whether it is fenced or superseded. Each entry is processed on its own: an invalid
 * one is logged and skipped, and one that the tables refuse now is answered as `unprocessed`.
 *
 * The row holds only the newest incarnation's hash, so any well-formed secret of a former one is answered `superseded`.
 *
 * @throws HttpProblem INVALID_REQUEST for the state, UNAUTHORIZED, DAEMON_NOT_REGISTERED or UNAVAILABLE.
 */
export async function acceptHeartbeat(
  daemonId: string,
  { region, hash }: DaemonSecret,
  { incarnation, state, load, headroom, assigned, closedRooms, removedPeers }: HeartbeatRequest,
  { daemons, rooms, loads, metrics, logger }: HeartbeatParts,
): Promise<HeartbeatOutcome> {
  const reportedState = states.get(state);
  if (!reportedState) throw new HttpProblem('INVALID_REQUEST', 'state: is neither READY nor DRAINING');
  const skipped = (entry: string) => {
    metrics.reportEntriesLeft.inc({ outcome: 'skipped' });
    logger.warn({ daemonId, incarnation, entry }, 'entry of a heartbeat skipped');
  };
  const closed = readRooms('closedRooms', closedRooms, skipped);
  const kicks = readKicks(removedPeers, skipped);
  const shard = shardOf(region, daemonId);
  const report = {
    state: reportedState,
    load: load ? readLoad(load, skipped) : noLoad,
    headroom,
    // A count that is too low only leaves less headroom until the next heartbeat.
    assigned: readCount(assigned) ?? 0,
  };
  if (readCount(assigned) === undefined) skipped('assigned: is more than 2^53 - 1');
  let fenced = false;
  const heard = await daemons.heartbeat({ shard, daemonId, incarnation, secretHash: hash }, report);
  if (!heard) {
    const row = await daemons.read(shard, daemonId);
    if (!row) throw new HttpProblem('DAEMON_NOT_REGISTERED');
    if (row.incarnation !== incarnation) {
      logger.warn({ daemonId, incarnation, by: row.incarnation }, 'heartbeat of a superseded daemon');
      return { fenced: false, superseded: true, assigned: 0n, raised: [], unprocessed: [] };
    }
    if (row.secretHash !== hash) throw new HttpProblem('UNAUTHORIZED', "the secret is not this incarnation's");
    if (row.state !== 'lost')
      throw new HttpProblem('UNAVAILABLE', 'the daemon is registering at the same time', { retryAfter: 1 });
    logger.warn({ daemonId, incarnation }, 'heartbeat of a daemon that was declared lost');
    fenced = true;
  }
  if (heard) loads?.report(heard);
  const unprocessed = new Set<string>();
  const process = async (roomId: string, act: () => Promise<void>) => {
    try {
      await act();
    } catch (error) {
      unprocessed.add(roomId);
      metrics.reportEntriesLeft.inc({ outcome: 'unprocessed' });
      logger.error({ err: error, roomId, daemonId }, 'report of a room not processed');
    }
  };
  // Before rooms are closed, because a closed room has no daemon.
  const raised = new Map<string, number>();
  for (const [roomId, refusals] of kicks) {
    await process(roomId, async () => {
      const room = await rooms.recordKicks({ roomId, daemonId, incarnation }, refusals);
      if (room) raised.set(roomId, room.epoch);
      logger.info({ roomId, daemonId, refused: [...refusals.keys()], epoch: room?.epoch }, 'peers removed');
    });
  }
  const closable = closed.filter(({ roomId }) => !unprocessed.has(roomId));
  for (let from = 0; from < closable.length; from += CLOSE_BATCH) {
    await Promise.all(
      closable.slice(from, from + CLOSE_BATCH).map(({ roomId, epoch }) =>
        process(roomId, async () => {
          // A failed condition is fine: another daemon has the room by now, or it is already closed.
          const removed = await rooms.close({ roomId, epoch: raised.get(roomId) ?? epoch, daemonId, incarnation });
          logger.info({ roomId, daemonId, epoch, removed }, 'room reported closed');
        }),
      ),
    );
  }
  return {
    fenced,
    superseded: false,
    assigned: BigInt(heard?.assigned ?? 0),
    raised: [...raised].map(([roomId, epoch]) => ({ roomId, epoch: BigInt(epoch) })),
    unprocessed: [...unprocessed],
  };
}

/** Called with each invalid entry, and the reason. */
type Skipped = (entry: string) => void;

/** By room, the peers that are refused, and until when. */
function readKicks(removedPeers: HeartbeatRequest['removedPeers'], skipped: Skipped): Map<string, Refusals> {
  const byRoom = new Map<string, Map<string, number>>();
  removedPeers.forEach(({ roomId, peerId, refuseFor }, index) => {
    const ids = z.object({ roomId: idSchema, peerId: idSchema }).safeParse({ roomId, peerId });
    if (!ids.success) {
      const [issue] = ids.error.issues;
      skipped(`removedPeers[${index}].${issue?.path.join('.')}: ${issue?.message}`);
      return;
    }
    const refusals = byRoom.get(roomId) ?? new Map<string, number>();
    byRoom.set(roomId, refusals);
    const refuseForMs = Math.min(refuseFor ? durationMs(refuseFor) : 0, MAX_REFUSAL_MS);
    if (refuseForMs > 0) refusals.set(peerId, Date.now() + refuseForMs);
  });
  return byRoom;
}

/** @returns `undefined` for an invalid load; the former load stays. */
function readLoad(load: NonNullable<HeartbeatRequest['load']>, skipped: Skipped): Load | undefined {
  const { rooms, peers, producers, consumers, workerCpu, eventLoopDelay, network } = load;
  const eventLoopDelayMs = eventLoopDelay ? durationMs(eventLoopDelay) : 0;
  for (const [field, value] of Object.entries({ workerCpu, network, eventLoopDelay: eventLoopDelayMs })) {
    if (value >= 0 && value <= MAX_MEASURE) continue;
    skipped(`load.${field}: is not between 0 and ${MAX_MEASURE}`);
    return undefined;
  }
  const batching = load.batching && readBatching(load.batching, skipped);
  if (load.batching && !batching) return undefined;
  return { rooms, peers, producers, consumers, workerCpu, eventLoopDelayMs, network, ...(batching && { batching }) };
}

/** @returns `undefined` for what is not valid. */
function readBatching(batching: Batching, skipped: Skipped): Load['batching'] {
  const { workers, batchingWorkers, packetsPerMessage } = batching;
  const refusedMessages = readCount(batching.refusedMessages);
  if (refusedMessages !== undefined && packetsPerMessage >= 0 && packetsPerMessage <= MAX_MEASURE)
    return { workers, batchingWorkers, packetsPerMessage, refusedMessages };
  skipped('load.batching: a number is out of range');
  return undefined;
}

/** The valid ones of the rooms that a daemon reports. */
export function readRooms(
  field: string,
  rooms: readonly { roomId: string; epoch: bigint }[],
  skipped: Skipped,
): { roomId: string; epoch: number }[] {
  return rooms.flatMap(({ roomId, epoch }, index) => {
    const id = idSchema.safeParse(roomId);
    const count = readCount(epoch);
    if (id.success && count !== undefined && count <= MAX_REPORTED_EPOCH) return [{ roomId: id.data, epoch: count }];
    skipped(`${field}[${index}].${id.success ? 'epoch: is more than 2^48' : `roomId: ${id.error.issues[0]?.message}`}`);
    return [];
  });
}

const readCount = (count: bigint): number | undefined =>
  count <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(count) : undefined;
