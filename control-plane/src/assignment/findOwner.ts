import type { IceServerSettings } from '@mediasoup-server/server-kit/iceServers';
import type { Logger } from '@mediasoup-server/server-kit/logger';
import { HttpProblem } from '@mediasoup-server/server-kit/problem';
import type { DaemonClient } from '../daemons/DaemonClient.ts';
import { type Daemon, isFresh } from '../directory/Daemon.ts';
import type { DaemonTable } from '../directory/DaemonTable.ts';
import type { FleetCache } from '../directory/FleetCache.ts';
import type { LoadLog } from '../directory/LoadLog.ts';
import type { Room, RoomTable } from '../directory/RoomTable.ts';
import type { Metrics } from '../metrics.ts';
import { isCutOff } from './isCutOff.ts';

export type Directory = {
  readonly ice: IceServerSettings;
  readonly rooms: RoomTable;
  readonly daemons: DaemonTable;
  readonly fleet: FleetCache;
  readonly client: Pick<DaemonClient, 'createRoom' | 'moveRoom' | 'probe'>;
  /** Logs the daemons' loads for CloudWatch, if configured. */
  readonly loads?: Pick<LoadLog, 'report'> | undefined;
  readonly suspectAfterMs: number;
  readonly metrics: Pick<Metrics, 'probes' | 'daemonsLost' | 'fencingWithheld' | 'reportEntriesLeft'>;
  readonly logger: Logger;
};

/** Who has a room now. A free room may be placed: no daemon has it, or its daemon is gone, draining or declared lost. */
export type Ownership =
  | { readonly kind: 'free'; readonly room: Room /** The draining daemon that has it. */; readonly leaving?: Daemon }
  | { readonly kind: 'owned'; readonly room: Room; readonly daemon: Daemon; readonly probed: boolean };

/** How often a heartbeat may contradict a failed probe before the caller gets UNAVAILABLE. */
const MAX_READS = 4;

/**
 * Reads a room and decides whether its daemon still serves it. A daemon with an old heartbeat, or one that the peer could
 * not reach, is probed. If the probe fails, the daemon is declared lost, and only then is its room free.
 *
 * @param asking the incarnation of the daemon that asks, which is therefore alive.
 * @param seen the room, if the caller has just read it.
 * @throws HttpProblem UNAVAILABLE.
 */
export async function findOwner(
  roomId: string,
  directory: Directory,
  { failedDaemonId, asking, seen }: { failedDaemonId?: string | undefined; asking?: string; seen?: Room } = {},
): Promise<Ownership> {
  const { rooms, daemons, client, suspectAfterMs, metrics, logger } = directory;
  for (let read = 0; read < MAX_READS; read++) {
    const room = (read === 0 && seen) || (await rooms.read(roomId));
    const [instance] = room.instances;
    const daemon = instance && (await daemons.read(instance.shard, instance.daemonId));
    if (!daemon || daemon.incarnation !== instance.incarnation || daemon.state !== 'ready') {
      const leaves = daemon?.incarnation === instance?.incarnation && daemon?.state === 'draining';
      return { kind: 'free', room, ...(leaves && { leaving: daemon }) };
    }
    if (daemon.incarnation === asking) return { kind: 'owned', room, daemon, probed: false };
    const suspected = failedDaemonId === daemon.daemonId || !isFresh(daemon, Date.now(), suspectAfterMs);
    if (!suspected) return { kind: 'owned', room, daemon, probed: false };
    const alive = await client.probe(daemon);
    metrics.probes.inc({ outcome: alive ? 'alive' : 'silent' });
    if (alive) return { kind: 'owned', room, daemon, probed: true };
    const { daemonId, incarnation } = daemon;
    if (await isCutOff(daemon, directory)) {
      metrics.fencingWithheld.inc();
      logger.error({ daemonId, incarnation, roomId }, 'silent daemon not declared lost: too few others answer either');
      throw new HttpProblem('UNAVAILABLE', 'the daemon of the room cannot be reached', { retryAfter: 2 });
    }
    if (await daemons.markLost(daemon)) {
      metrics.daemonsLost.inc();
      logger.warn({ daemonId, incarnation, roomId }, 'daemon declared lost: no answer to the probe');
      return { kind: 'free', room };
    }
  }
  throw new HttpProblem('UNAVAILABLE', 'the daemon of the room keeps changing', { retryAfter: 1 });
}

/**
 * The RTP capabilities of a live room, from the tables alone.
 *
 * @returns `undefined` when no live instance is known.
 */
export async function readLiveRoom(roomId: string, { rooms, daemons }: Directory): Promise<string | undefined> {
  const { instances, rtpCapabilities } = await rooms.read(roomId);
  const [instance] = instances;
  const daemon = instance && (await daemons.read(instance.shard, instance.daemonId));
  const live = daemon && daemon.incarnation === instance.incarnation && daemon.state !== 'lost';
  return live ? rtpCapabilities : undefined;
}
