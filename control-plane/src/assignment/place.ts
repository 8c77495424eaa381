import { createHash } from 'node:crypto';
import { type Daemon, isFresh } from '../daemons/Daemon.ts';

export type PlacementPolicy = {
  /** A daemon whose last heartbeat is older gets no new rooms. */
  readonly suspectAfterMs: number;
};

/** A mean event loop delay at which a daemon counts as fully loaded: a tenth of a second is heard and seen. */
const FULL_EVENT_LOOP_DELAY_MS = 100;

/**
 * Chooses the daemon for a new room: of the ready ones with room, the two highest by rendezvous hash of room and
 * daemon, the less loaded of the two. So assigners that race for one new room mostly agree without talking, and rooms
 * spread by load all the same.
 *
 * @returns `undefined` when no daemon can take the room.
 */
export function place(
  roomId: string,
  daemons: readonly Daemon[],
  now: number,
  policy: PlacementPolicy,
): Daemon | undefined {
  const [first, second] = daemons
    .filter(({ state, headroom }) => state === 'ready' && headroom > 0)
    .filter((daemon) => isFresh(daemon, now, policy.suspectAfterMs))
    .map((daemon) => ({ daemon, score: score(roomId, daemon.daemonId) }))
    .sort((a, b) => b.score - a.score || (a.daemon.daemonId < b.daemon.daemonId ? -1 : 1));
  if (!first || !second) return first?.daemon;
  return loadOf(second.daemon) < loadOf(first.daemon) ? second.daemon : first.daemon;
}

/** The worst of a daemon's loads; 1 stands for full. */
export function loadOf({ load, headroom }: Pick<Daemon, 'load' | 'headroom'>): number {
  const seats = load.peers / Math.max(1, load.peers + headroom);
  return Math.max(load.workerCpu, seats, load.eventLoopDelayMs / FULL_EVENT_LOOP_DELAY_MS);
}

/** 48 bits, which a number holds exactly. JSON keeps ("a", "bc") and ("ab", "c") apart. */
const score = (roomId: string, daemonId: string): number =>
  createHash('sha256')
    .update(JSON.stringify([roomId, daemonId]))
    .digest()
    .readUIntBE(0, 6);
