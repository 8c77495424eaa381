import type { MessageInitShape } from '@bufbuild/protobuf';
import { durationMs } from '@bufbuild/protobuf/wkt';
import type { Logger } from '@mediasoup-server/process/logger';
import { HttpProblem } from '@mediasoup-server/process/problem';
import { idSchema } from '@mediasoup-server/proto/ids';
import { DaemonState, type HeartbeatRequest, type HeartbeatResponseSchema } from '@mediasoup-server/proto/registry';
import { z } from 'zod';
import type { RoomTable } from '../rooms/RoomTable.ts';
import { type Load, noLoad, shardOf } from './Daemon.ts';
import type { DaemonSecret } from './DaemonSecret.ts';
import type { DaemonTable } from './DaemonTable.ts';
import type { LoadLog } from './LoadLog.ts';

/** How many closed rooms are written at a time. */
const CLOSE_BATCH = 25;

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
  readonly logger: Logger;
};

/** What an answer to a heartbeat tells. */
type Fate = Required<
  Pick<MessageInitShape<typeof HeartbeatResponseSchema>, 'fenced' | 'superseded' | 'assigned' | 'raised'>
>;

/**
 * Takes over what a daemon reports and tells it what has become of it. When this succeeds, every closed room that was
 * reported is acknowledged.
 *
 * Any well-formed secret learns that its incarnation is `superseded`: the row holds only the newer one's hash.
 *
 * @throws HttpProblem INVALID_REQUEST, UNAUTHORIZED, DAEMON_NOT_REGISTERED or UNAVAILABLE.
 */
export async function acceptHeartbeat(
  daemonId: string,
  { region, hash }: DaemonSecret,
  { incarnation, state, load, headroom, assigned, closedRooms, removedPeers }: HeartbeatRequest,
  { daemons, rooms, loads, logger }: HeartbeatParts,
): Promise<Fate> {
  const reportedState = states.get(state);
  if (!reportedState) throw new HttpProblem('INVALID_REQUEST', 'state: is neither READY nor DRAINING');
  const closed = readRooms('closedRooms', closedRooms);
  const putOut = readRemovals(removedPeers);
  const shard = shardOf(region, daemonId);
  const report = {
    state: reportedState,
    load: load ? readLoad(load) : noLoad,
    headroom,
    assigned: readCount('assigned', assigned),
  };
  let fenced = false;
  const heard = await daemons.heartbeat({ shard, daemonId, incarnation, secretHash: hash }, report);
  if (!heard) {
    const row = await daemons.read(shard, daemonId);
    if (!row) throw new HttpProblem('DAEMON_NOT_REGISTERED');
    if (row.incarnation !== incarnation) {
      logger.warn({ daemonId, incarnation, by: row.incarnation }, 'heartbeat of a superseded daemon');
      return { fenced: false, superseded: true, assigned: 0n, raised: [] };
    }
    if (row.secretHash !== hash) throw new HttpProblem('UNAUTHORIZED', "the secret is not this incarnation's");
    if (row.state !== 'lost') throw new HttpProblem('UNAVAILABLE', 'the daemon registers meanwhile', { retryAfter: 1 });
    logger.warn({ daemonId, incarnation }, 'heartbeat of a daemon that was declared lost');
    fenced = true;
  }
  if (heard) loads?.report(heard);
  // Before the rooms are closed, since a closed one is nobody's.
  const raised = new Map<string, number>();
  for (const [roomId, untils] of putOut) {
    const room = await rooms.putOut({ roomId, daemonId, incarnation }, untils);
    if (room) raised.set(roomId, room.epoch);
    logger.info({ roomId, daemonId, refused: Object.keys(untils), epoch: room?.epoch }, 'peers put out');
  }
  for (let from = 0; from < closed.length; from += CLOSE_BATCH) {
    await Promise.all(
      closed.slice(from, from + CLOSE_BATCH).map(async ({ roomId, epoch }) => {
        // A failed condition is fine: the room is another's by now, or closed already.
        const removed = await rooms.close({ roomId, epoch: raised.get(roomId) ?? epoch, daemonId, incarnation });
        logger.info({ roomId, daemonId, epoch, removed }, 'room reported closed');
      }),
    );
  }
  return {
    fenced,
    superseded: false,
    assigned: BigInt(heard?.assigned ?? 0),
    raised: [...raised].map(([roomId, epoch]) => ({ roomId, epoch: BigInt(epoch) })),
  };
}

/** By room, until when each peer is refused, of those who are. */
function readRemovals(removedPeers: HeartbeatRequest['removedPeers']): Map<string, Record<string, number>> {
  const byRoom = new Map<string, Record<string, number>>();
  removedPeers.forEach(({ roomId, peerId, refuseFor }, index) => {
    const ids = z.object({ roomId: idSchema, peerId: idSchema }).safeParse({ roomId, peerId });
    if (!ids.success) {
      const [issue] = ids.error.issues;
      throw new HttpProblem('INVALID_REQUEST', `removedPeers[${index}].${issue?.path.join('.')}: ${issue?.message}`);
    }
    const refuseForMs = Math.min(refuseFor ? durationMs(refuseFor) : 0, MAX_REFUSAL_MS);
    byRoom.set(roomId, { ...byRoom.get(roomId), ...(refuseForMs > 0 && { [peerId]: Date.now() + refuseForMs }) });
  });
  return byRoom;
}

function readLoad(load: NonNullable<HeartbeatRequest['load']>): Load {
  const { rooms, peers, producers, consumers, workerCpu, eventLoopDelay, network } = load;
  const eventLoopDelayMs = eventLoopDelay ? durationMs(eventLoopDelay) : 0;
  for (const [field, value] of Object.entries({ workerCpu, network })) {
    if (!Number.isFinite(value)) throw new HttpProblem('INVALID_REQUEST', `load.${field}: is not a finite number`);
  }
  return { rooms, peers, producers, consumers, workerCpu, eventLoopDelayMs, network };
}

/**
 * Checks the rooms that a daemon reports.
 *
 * @throws HttpProblem INVALID_REQUEST that names the one at fault.
 */
export function readRooms(
  field: string,
  rooms: readonly { roomId: string; epoch: bigint }[],
): { roomId: string; epoch: number }[] {
  return rooms.map(({ roomId, epoch }, index) => {
    const id = idSchema.safeParse(roomId);
    if (!id.success)
      throw new HttpProblem('INVALID_REQUEST', `${field}[${index}].roomId: ${id.error.issues[0]?.message}`);
    return { roomId: id.data, epoch: readCount(`${field}[${index}].epoch`, epoch) };
  });
}

function readCount(field: string, count: bigint): number {
  if (count <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(count);
  throw new HttpProblem('INVALID_REQUEST', `${field}: is no number of ours`);
}
