import type { Daemon } from '../directory/Daemon.ts';
import { claimRoom } from './claimRoom.ts';
import type { Directory } from './findOwner.ts';

/** How many rooms are written at once. */
const BATCH = 25;

type OpenRoom = { readonly roomId: string; readonly epoch: number };

/**
 * Records that a daemon has these rooms open: renews their records, and claims the rooms that no daemon has.
 *
 * @returns the daemon's rooms, and the ids of those on other daemons. A room that could not be recorded is in neither, and
 * the daemon reports it again.
 */
export async function recordRooms(
  open: readonly OpenRoom[],
  daemon: Daemon,
  rtpCapabilities: string,
  directory: Directory,
): Promise<{ rooms: OpenRoom[]; elsewhere: string[] }> {
  const { daemonId, incarnation } = daemon;
  const rooms: OpenRoom[] = [];
  const elsewhere: string[] = [];
  const record = async ({ roomId, epoch }: OpenRoom) => {
    if (await directory.rooms.renew({ roomId, epoch, daemonId, incarnation })) {
      rooms.push({ roomId, epoch });
      return;
    }
    const claimed = await claimRoom(roomId, daemon, rtpCapabilities, directory, epoch);
    if (claimed.granted) rooms.push({ roomId, epoch: claimed.epoch });
    else elsewhere.push(roomId);
  };
  const recordOne = (room: OpenRoom) =>
    record(room).catch((error: unknown) => {
      directory.metrics.reportEntriesLeft.inc({ outcome: 'unprocessed' });
      directory.logger.error({ err: error, roomId: room.roomId, daemonId }, 'reported room not recorded');
    });
  for (let from = 0; from < open.length; from += BATCH)
    await Promise.all(open.slice(from, from + BATCH).map(recordOne));
  return { rooms, elsewhere };
}
