import type { MessageInitShape } from '@bufbuild/protobuf';
import { durationMs, timestampFromDate } from '@bufbuild/protobuf/wkt';
import {
  type MediaDaemon,
  PeerDetailsSchema,
  RoomSummarySchema,
  StatsSchema,
  type WorkerInfoSchema,
} from '@mediasoup-server/proto/daemon';
import type { ServiceMethods } from '@mediasoup-server/server-kit/grpcService';
import { version as mediasoupVersion } from 'mediasoup';
import { RequestError } from '../errors.ts';
import type { Peer } from '../peers/Peer.ts';
import type { Room } from '../rooms/Room.ts';
import type { Rooms } from '../rooms/Rooms.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { PooledWorker, WorkerPool } from '../workers/WorkerPool.ts';
import type { EventLog } from './EventLog.ts';
import { describePeer, describePipe, describeRoom, measure, summarizeRoom } from './grpcMessages.ts';
import { pageOf } from './pageOf.ts';

/** Who the daemon is. */
export type Identity = {
  readonly daemonId: string;
  /** One run of the daemon: a UUID made when it started. */
  readonly incarnation: () => string;
  readonly version: string;
  readonly startedAt: Date;
};

/** The most that watch at once. */
const MAX_WATCHERS = 100;

export type CommandHooks = {
  /** Called before a room is made for the control plane, which has its closing still reported otherwise. */
  readonly beforeCreate: (roomId: string) => Promise<void>;
  /**
   * Begins to drain the daemon, which ends with its process; again, it does nothing.
   *
   * @param deadlineMs milliseconds that peers have to move, where it is not the setting.
   */
  readonly drain: (deadlineMs: number | undefined) => void;
};

/** The commands of `media.v1.MediaDaemon`. */
export function createMediaDaemonService(
  identity: Identity,
  parts: { readonly rooms: Rooms; readonly pool: WorkerPool; readonly events: EventLog; readonly metrics: Metrics },
  hooks: CommandHooks,
): ServiceMethods<typeof MediaDaemon> {
  const { rooms, pool, events, metrics } = parts;
  let watchers = 0;
  const find = (roomId: string): Room => {
    const room = rooms.get(roomId);
    if (!room) throw new RequestError('ROOM_NOT_FOUND', 'there is no such room on this daemon');
    return room;
  };
  const describeWorker = ({ worker, rtcPort, cpu, load }: PooledWorker): MessageInitShape<typeof WorkerInfoSchema> => ({
    pid: worker.pid,
    rtcPort,
    rooms: rooms.open.filter(({ mesh }) => mesh.routers.some(({ pooledWorker }) => pooledWorker.worker === worker))
      .length,
    cpu: cpu.ratio,
    consumers: load.consumers,
    saturated: load.saturated,
  });
  return {
    async getInfo() {
      return {
        daemonId: identity.daemonId,
        incarnation: identity.incarnation(),
        version: identity.version,
        mediasoupVersion,
        startedAt: timestampFromDate(identity.startedAt),
        workers: pool.workers.map(describeWorker),
        rooms: rooms.size,
        peers: rooms.peerCount,
      };
    },
    async createRoom({ roomId, epoch }, { signal }) {
      await hooks.beforeCreate(roomId);
      signal.throwIfAborted();
      return { room: describeRoom(await rooms.getOrCreate(roomId, Number(epoch))) };
    },
    async getRoom({ roomId }) {
      const room = find(roomId);
      return {
        room: describeRoom(room),
        routers: room.mesh.routers.map(({ pooledWorker, peerCount }) => ({
          worker: describeWorker(pooledWorker),
          peers: peerCount,
        })),
        pipes: room.mesh.pipes.map(describePipe),
      };
    },
    async listRooms(request) {
      const list = { idOf: ({ id }: Room) => id, message: RoomSummarySchema, describe: summarizeRoom };
      const { page, nextPageToken } = await pageOf(rooms.list(), request, list);
      return { rooms: page, nextPageToken };
    },
    async closeRoom({ roomId, reason, movedEpoch }) {
      if (movedEpoch === 0n) find(roomId).close('command', reason || 'closed by the service');
      else {
        const room = rooms.get(roomId);
        if (room && room.epoch < movedEpoch) rooms.handOff(room, 'drain');
      }
      return {};
    },
    async listPeers(request) {
      const peers = find(request.roomId).peers.sort((a, b) => (a.id < b.id ? -1 : 1));
      const list = { idOf: ({ id }: Peer) => id, message: PeerDetailsSchema, describe: describePeer };
      const { page, nextPageToken } = await pageOf(peers, request, list);
      return { peers: page, nextPageToken };
    },
    async closePeer({ roomId, peerId, reason, refuseFor }) {
      const room = find(roomId);
      const peer = findPeer(room, peerId);
      const refuseForMs = refuseFor ? durationMs(refuseFor) : 0;
      rooms.kickPeer(room, peer, reason || 'removed by the service', refuseForMs);
      return {};
    },
    async pauseProducer({ roomId, producerId, by, ownerMayResume }) {
      await findOwner(find(roomId), producerId).producers.pauseByCommand(producerId, by, ownerMayResume);
      return {};
    },
    async resumeProducer({ roomId, producerId, by }) {
      await findOwner(find(roomId), producerId).producers.resumeByCommand(producerId, by);
      return {};
    },
    async closeProducer({ roomId, producerId }) {
      const room = find(roomId);
      const dataOwnerId = room.producers.findData(producerId)?.peerId;
      const dataOwner = dataOwnerId === undefined ? undefined : room.get(dataOwnerId);
      if (dataOwner) dataOwner.producers.closeDataByCommand(producerId);
      else findOwner(room, producerId).producers.closeByCommand(producerId);
      return {};
    },
    async sendNotification({ roomId, peerIds, from, dataJson }) {
      const room = find(roomId);
      const data: unknown = JSON.parse(dataJson);
      const wanted = peerIds.length > 0 ? new Set(peerIds) : new Set(room.peers.map(({ id }) => id));
      room.emit({ kind: 'backendMessage', peerIds: [...wanted], from, data });
      return { unknownPeerIds: [...wanted].filter((peerId) => !room.has(peerId)) };
    },
    async getStats(request, { signal }) {
      const { measurable } = findPeer(find(request.roomId), request.peerId);
      const { page, nextPageToken } = await pageOf(measurable, request, {
        idOf: ({ thing }) => thing.id,
        message: StatsSchema,
        describe: (measured) => measure(measured, signal),
      });
      return { stats: page, nextPageToken };
    },
    async drain({ deadline }) {
      hooks.drain(deadline && durationMs(deadline));
      return { rooms: rooms.size, peers: rooms.peerCount };
    },
    async *watchEvents(request, { signal }) {
      if (watchers >= MAX_WATCHERS) {
        metrics.limited.inc({ limit: 'watchers' });
        throw new RequestError('LIMIT_REACHED', `${MAX_WATCHERS} clients already watch, which is the limit`);
      }
      watchers++;
      metrics.watchers.inc();
      try {
        yield* events.watch(request, signal);
      } finally {
        watchers--;
        metrics.watchers.dec();
      }
    },
  };
}

function findPeer(room: Room, peerId: string): Peer {
  const peer = room.get(peerId);
  if (!peer) throw new RequestError('PEER_NOT_FOUND', 'there is no such peer in the room');
  return peer;
}

function findOwner(room: Room, producerId: string): Peer {
  const producer = room.producers.find(producerId);
  const owner = producer && room.get(producer.peerId);
  if (!owner) throw new RequestError('PRODUCER_NOT_FOUND', 'there is no such producer in the room');
  return owner;
}
