import timers from 'node:timers/promises';
import type { Assignment, AssignmentRequest } from '@mediasoup-server/proto/http';
import { type IceServerSettings, iceServersFor } from '@mediasoup-server/server-kit/iceServers';
import { HttpProblem } from '@mediasoup-server/server-kit/problem';
import { requestContext } from '@mediasoup-server/server-kit/requestContext';
import type { Daemon } from '../directory/Daemon.ts';
import { hasReservation, reservationOf } from '../directory/Reservations.ts';
import type { Instance, Room } from '../directory/RoomTable.ts';
import type { Grants } from '../tokens/AccessTokens.ts';
import type { AssignmentKeys } from '../tokens/AssignmentKeys.ts';
import { candidates } from './candidates.ts';
import { type Directory, findOwner } from './findOwner.ts';

/** How often an assignment starts again after a lost race. Usually the second read finds the winner. */
const MAX_ROUNDS = 6;
/** The mean wait before the n-th new round is n times this, ms. */
const ROUND_BACKOFF_MS = 10;
/** No further candidate is tried after this, ms; a candidate that hangs takes two seconds. */
const GIVE_UP_AFTER_MS = 8000;
/** Seconds after which a daemon is likely to have room again: one heartbeat interval. */
const RETRY_AFTER = 2;
/** How long a peer waits before it retries a daemon that it could not reach and that is alive, ms. */
const REACHABLE_AGAIN_MS = 1000;

/**
 * Decides which daemon a peer connects to: the room's own daemon, or else a chosen one, which creates the room. The peer
 * gets one reservation there within a token's life, however often it asks. For a room on a healthy daemon this takes one
 * read and one update of the tables, and no command to a daemon.
 *
 * @throws HttpProblem FORBIDDEN for a peer that was removed from the room; ROOM_FULL, NO_CAPACITY or UNAVAILABLE.
 */
export async function assignPeer(
  request: AssignmentRequest & { roomId: string; grants: Grants },
  directory: Directory,
  keys: Pick<AssignmentKeys, 'sign'>,
): Promise<Assignment> {
  const { roomId, failedDaemonId } = request;
  const reservation = reservationOf(roomId, request.peerId);
  const { rooms, daemons, suspectAfterMs } = directory;
  const giveUpAt = Date.now() + GIVE_UP_AFTER_MS;
  /** The daemon that holds a reservation from a lost race for the room. Usually the winner chose the same daemon. */
  let reservedOn: Daemon | undefined;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    if (round > 0) await timers.setTimeout(Math.random() * 2 * round * ROUND_BACKOFF_MS);
    const seen = await rooms.read(roomId);
    const { epoch } = seen;
    const [instance] = seen.instances;
    const refusedMs = (seen.refusedPeers?.find(({ peerId }) => peerId === request.peerId)?.until ?? 0) - Date.now();
    if (refusedMs > 0) {
      if (reservedOn) await daemons.release(reservedOn, reservation);
      const retryAfter = Math.ceil(refusedMs / 1000);
      throw new HttpProblem('FORBIDDEN', 'the peer was removed from the room and is refused for a time', {
        retryAfter,
      });
    }
    if (reservedOn) {
      if (instance && isSame(reservedOn, instance)) return issue(request, reservedOn, epoch, keys, directory.ice);
      await daemons.release(reservedOn, reservation);
      reservedOn = undefined;
    }
    if (instance && instance.daemonId !== failedDaemonId) {
      const daemon = await daemons.reserve(instance, reservation, { freshSince: Date.now() - suspectAfterMs });
      if (daemon) return issue(request, daemon, epoch, keys, directory.ice);
    }
    const owner = await findOwner(roomId, directory, { failedDaemonId, seen });
    if (owner.kind === 'owned') {
      const isReserved = hasReservation(owner.daemon, reservation, Date.now());
      if (!isReserved && owner.daemon.headroom <= 0)
        throw new HttpProblem('ROOM_FULL', undefined, { retryAfter: RETRY_AFTER });
      const daemon = isReserved ? owner.daemon : await daemons.reserve(owner.daemon, reservation);
      if (!daemon) continue;
      const assignment = await issue(request, daemon, owner.room.epoch, keys, directory.ice);
      const unreachable = owner.probed && failedDaemonId === daemon.daemonId;
      return unreachable ? { ...assignment, retryAfterMs: REACHABLE_AGAIN_MS } : assignment;
    }
    const { daemon, room } = await placeRoom(owner.room, reservation, request.region, directory, giveUpAt);
    if (room) {
      if (owner.leaving) await moveRoom(owner.leaving, room, directory);
      return issue(request, daemon, room.epoch, keys, directory.ice);
    }
    reservedOn = daemon;
  }
  if (reservedOn) await daemons.release(reservedOn, reservation);
  throw new HttpProblem('UNAVAILABLE', 'others keep changing the room', { retryAfter: 1 });
}

/** Moves the peers on the draining daemon at once. If that fails, its drain moves them later. */
async function moveRoom(from: Daemon, { roomId, epoch }: Room, { client, logger }: Directory): Promise<void> {
  await client.moveRoom(from, roomId, epoch).catch((error: unknown) => {
    logger.warn(
      { err: error, roomId, daemonId: from.daemonId },
      'room not closed on the draining daemon after its move',
    );
  });
}

/** @returns the daemon that holds the peer's reservation; without a room when another control plane placed it first. */
async function placeRoom(
  seen: Room,
  reservation: string,
  region: string | undefined,
  directory: Directory,
  giveUpAt: number,
): Promise<{ daemon: Daemon; room: Room | undefined }> {
  const { rooms, daemons, client, logger } = directory;
  const { roomId } = seen;
  for await (const candidate of candidates(roomId, region, directory)) {
    if (Date.now() > giveUpAt) break;
    const daemon = await daemons.reserve(candidate, reservation, { again: true });
    if (!daemon) continue;
    const { daemonId, shard, incarnation } = daemon;
    try {
      const { rtpCapabilities } = await client.createRoom(daemon, roomId, seen.epoch + 1);
      const room = await rooms.place(seen, { daemonId, shard, incarnation }, rtpCapabilities);
      if (room) logger.info({ roomId, daemonId, epoch: room.epoch }, 'room placed');
      return { daemon, room };
    } catch (error) {
      if (error instanceof HttpProblem) throw error;
      logger.warn({ err: error, roomId, daemonId }, 'daemon did not create the room');
      await daemons.release(daemon, reservation);
    }
  }
  throw new HttpProblem('NO_CAPACITY', undefined, { retryAfter: RETRY_AFTER });
}

const isSame = (daemon: Daemon, { daemonId, incarnation }: Instance): boolean =>
  daemon.daemonId === daemonId && daemon.incarnation === incarnation;

async function issue(
  { roomId, peerId, grants }: { roomId: string; peerId: string; grants: Grants },
  { daemonId, incarnation, url }: Daemon,
  epoch: number,
  keys: Pick<AssignmentKeys, 'sign'>,
  ice: IceServerSettings,
): Promise<Assignment> {
  // Makes the join, in another process and over another connection, part of the same trace.
  const { traceparent } = requestContext();
  const claims = { roomId, peerId, daemonId, incarnation, epoch, grants, ...(traceparent && { traceparent }) };
  const { token, expiresAt } = await keys.sign(claims);
  const query = Object.entries({ roomId, peerId, token }).map(
    ([name, value]) => `${name}=${encodeURIComponent(value)}`,
  );
  return {
    roomId,
    peerId,
    daemonId,
    epoch,
    url: `${url}/?${query.join('&')}`,
    token,
    expiresAt: expiresAt.toISOString(),
    iceServers: iceServersFor(peerId, ice),
  };
}
