import { type Daemon, isFresh } from '../directory/Daemon.ts';
import { rendezvous } from '../directory/rendezvous.ts';

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
export function chooseDaemon(
  roomId: string,
  daemons: readonly Daemon[],
  now: number,
  policy: PlacementPolicy,
): Daemon | undefined {
  const able = daemons.filter(
    (daemon) => daemon.state === 'ready' && daemon.headroom > 0 && isFresh(daemon, now, policy.suspectAfterMs),
  );
  const [first, second] = rendezvous(roomId, able, ({ daemonId }) => daemonId);
  if (!first || !second) return first;
  return loadOf(second) < loadOf(first) ? second : first;
}

/** The worst of a daemon's loads; 1 stands for full. */
export function loadOf({ load, headroom }: Pick<Daemon, 'load' | 'headroom'>): number {
  const seats = load.peers / Math.max(1, load.peers + headroom);
  return Math.max(load.workerCpu, load.network, seats, load.eventLoopDelayMs / FULL_EVENT_LOOP_DELAY_MS);
}
