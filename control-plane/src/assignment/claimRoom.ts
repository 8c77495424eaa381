import { HttpProblem } from '@mediasoup-server/server-kit/problem';
import type { Daemon } from '../directory/Daemon.ts';
import { type Directory, findOwner } from './findOwner.ts';

/** How often a claim starts again after it has lost a race. */
const MAX_ROUNDS = 4;

/**
 * Gives a room to the daemon that claims it, unless another daemon has it. A repeated claim changes nothing.
 *
 * @param knownEpoch the room's epoch as the daemon knows it, if it does; restores the epoch in a table that has lost it.
 * @returns the daemon that has the room now, and the epoch.
 * @throws HttpProblem UNAVAILABLE.
 */
export async function claimRoom(
  roomId: string,
  { daemonId, shard, incarnation }: Daemon,
  rtpCapabilities: string,
  directory: Directory,
  knownEpoch = 0,
): Promise<{ granted: boolean; daemonId: string; epoch: number }> {
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const { kind, room } = await findOwner(roomId, directory, { asking: incarnation });
    const [instance] = room.instances;
    if (instance?.daemonId === daemonId && instance.incarnation === incarnation) {
      return { granted: true, daemonId, epoch: room.epoch };
    }
    if (kind === 'owned' && instance) return { granted: false, daemonId: instance.daemonId, epoch: room.epoch };
    const seen = room.epoch === 0 ? { ...room, epoch: Math.max(0, knownEpoch - 1) } : room;
    const placed = await directory.rooms.place(seen, { daemonId, shard, incarnation }, rtpCapabilities);
    if (placed) {
      directory.logger.info({ roomId, daemonId, epoch: placed.epoch }, 'room claimed');
      return { granted: true, daemonId, epoch: placed.epoch };
    }
  }
  throw new HttpProblem('UNAVAILABLE', 'others keep changing the room', { retryAfter: 1 });
}
