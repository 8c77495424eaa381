import { type Daemon, isFresh, loadOf } from '../directory/Daemon.ts';
import { rendezvous } from '../directory/rendezvous.ts';

export type PlacementPolicy = {
  /** A daemon whose last heartbeat is older gets no new rooms. */
  readonly suspectAfterMs: number;
};

/**
 * Chooses the daemon for a new room: among the ready daemons with headroom it takes the two with the highest rendezvous
 * hash of room and daemon, and of those the less loaded one. So control planes that race for a new room mostly agree
 * without talking to each other, and rooms still spread by load.
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
