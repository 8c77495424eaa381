import { setTimeout as delay } from 'node:timers/promises';
import { HttpProblem } from '@mediasoup-server/process/problem';
import type { Assignment, AssignmentRequest } from '@mediasoup-server/proto/http';
import type { Daemon } from '../daemons/Daemon.ts';
import type { Room } from '../rooms/RoomTable.ts';
import type { AssignmentKeys } from '../tokens/AssignmentKeys.ts';
import { type Directory, findOwner } from './findOwner.ts';
import { place } from './place.ts';

/** How often an assignment starts again after it has lost a race. The second reading finds the winner, as a rule. */
const MAX_ROUNDS = 6;
/** The mean wait before the n-th new round is n times this. */
const ROUND_BACKOFF_MS = 10;
/** When no further candidate is tried; a candidate that hangs takes two seconds. */
const GIVE_UP_AFTER_MS = 8000;
/** Seconds until a place is likely to be free: a heartbeat's interval. */
const RETRY_AFTER = 2;
/** What a peer waits before it tries a daemon again that it could not reach and that lives nevertheless. */
const REACHABLE_AGAIN_MS = 1000;

/**
 * Decides which daemon a peer connects to: the one that has the room, or else one that is chosen and told to make it.
 *
 * @throws HttpProblem ROOM_FULL, NO_CAPACITY or UNAVAILABLE.
 */
export async function assignPeer(
  request: AssignmentRequest & { roomId: string },
  directory: Directory,
  keys: AssignmentKeys,
): Promise<Assignment> {
  const { roomId, peerId, failedDaemonId } = request;
  const giveUpAt = Date.now() + GIVE_UP_AFTER_MS;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    if (round > 0) await delay(Math.random() * 2 * round * ROUND_BACKOFF_MS);
    const owner = await findOwner(roomId, directory, { failedDaemonId });
    if (owner.kind === 'owned') {
      if (owner.daemon.headroom <= 0) throw new HttpProblem('ROOM_FULL', undefined, { retryAfter: RETRY_AFTER });
      const assignment = await issue(roomId, peerId, owner.daemon, owner.room.epoch, keys);
      const unreachable = owner.probed && failedDaemonId === owner.daemon.daemonId;
      return unreachable ? { ...assignment, retryAfterMs: REACHABLE_AGAIN_MS } : assignment;
    }
    const placed = await placeRoom(owner.room, request, directory, giveUpAt);
    if (placed) return issue(roomId, peerId, placed.daemon, placed.room.epoch, keys);
  }
  throw new HttpProblem('UNAVAILABLE', 'others keep changing the room', { retryAfter: 1 });
}

/** @returns `undefined` when somebody else has placed the room meanwhile. */
async function placeRoom(
  seen: Room,
  { region }: AssignmentRequest,
  { rooms, daemons, client, suspectAfterMs, logger }: Directory,
  giveUpAt: number,
): Promise<{ room: Room; daemon: Daemon } | undefined> {
  const { roomId } = seen;
  const refused = new Set<string>();
  const choose = (candidates: Daemon[]) =>
    place(
      roomId,
      candidates.filter(({ daemonId }) => !refused.has(daemonId)),
      Date.now(),
      { suspectAfterMs },
    );
  const near = region === undefined ? [] : await daemons.listRegion(region);
  let everywhere: Daemon[] | undefined;
  while (Date.now() < giveUpAt) {
    let daemon = choose(near);
    if (!daemon) {
      everywhere ??= (await Promise.all((await daemons.listRegions()).map((name) => daemons.listRegion(name)))).flat();
      daemon = choose(everywhere);
    }
    if (!daemon) break;
    const { daemonId, shard, incarnation } = daemon;
    try {
      const { rtpCapabilities } = await client.createRoom(daemon, roomId, seen.epoch + 1);
      const room = await rooms.place(seen, { daemonId, shard, incarnation }, rtpCapabilities);
      if (room) logger.info({ roomId, daemonId, epoch: room.epoch }, 'room placed');
      return room && { room, daemon };
    } catch (error) {
      if (error instanceof HttpProblem) throw error;
      logger.warn({ err: error, roomId, daemonId }, 'daemon did not make the room');
      refused.add(daemonId);
    }
  }
  throw new HttpProblem('NO_CAPACITY', undefined, { retryAfter: RETRY_AFTER });
}

async function issue(
  roomId: string,
  peerId: string,
  { daemonId, incarnation, url }: Daemon,
  epoch: number,
  keys: AssignmentKeys,
): Promise<Assignment> {
  const { token, expiresAt } = await keys.sign({ roomId, peerId, daemonId, incarnation, epoch });
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
    iceServers: [],
  };
}
