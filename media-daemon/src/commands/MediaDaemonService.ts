import type { MessageInitShape } from '@bufbuild/protobuf';
import { durationMs, timestampFromDate } from '@bufbuild/protobuf/wkt';
import { status } from '@grpc/grpc-js';
import type {
  MediaDaemon,
  PeerDetailsSchema,
  PipeSchema,
  RoomSchema,
  WorkerInfoSchema,
} from '@mediasoup-server/proto/daemon';
import type { ServiceMethods } from '@mediasoup-server/proto/grpc';
import { version as mediasoupVersion, type types } from 'mediasoup';
import type { Peer } from '../rooms/Peer.ts';
import type { Pipe } from '../rooms/Pipe.ts';
import type { Room } from '../rooms/Room.ts';
import type { Rooms } from '../rooms/Rooms.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { PooledWorker, WorkerPool } from '../workers/WorkerPool.ts';
import { CommandError } from './CommandError.ts';
import type { EventLog } from './EventLog.ts';

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
/** The most rooms of one page, and how many a caller gets that does not say. */
const MAX_PAGE = 1000;
const DEFAULT_PAGE = 100;

export type CommandHooks = {
  /** Called before a room is made for the control plane, which has its closing still reported otherwise. */
  readonly beforeCreate: (roomId: string) => Promise<void>;
  /** Begins to drain the daemon, which ends with its process; again, it does nothing. */
  readonly drain: () => void;
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
    if (!room) throw new CommandError(status.NOT_FOUND, 'there is no such room on this daemon');
    return room;
  };
  const describeWorker = ({ worker, rtcPort, cpu, load }: PooledWorker): MessageInitShape<typeof WorkerInfoSchema> => ({
    pid: worker.pid,
    rtcPort,
    rooms: rooms.open.filter(({ mesh }) => mesh.routers.some(({ on }) => on.worker === worker)).length,
    cpu: cpu.share,
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
        routers: room.mesh.routers.map(({ on, peerCount }) => ({ worker: describeWorker(on), peers: peerCount })),
        pipes: room.mesh.pipes.map(describePipe),
      };
    },
    async listRooms({ pageSize, pageToken }) {
      const { page, nextPageToken } = pageOf(rooms.list(), ({ id }) => id, pageSize, pageToken);
      return { rooms: page.map(describeRoom), nextPageToken };
    },
    async closeRoom({ roomId, reason, movedEpoch }) {
      if (movedEpoch === 0n) find(roomId).close('command', reason || 'closed by the service');
      else {
        const room = rooms.get(roomId);
        if (room && room.epoch < movedEpoch) rooms.letGo(room, 'drain');
      }
      return {};
    },
    async listPeers({ roomId, pageSize, pageToken }) {
      const peers = find(roomId).peers.sort((a, b) => (a.id < b.id ? -1 : 1));
      const { page, nextPageToken } = pageOf(peers, ({ id }) => id, pageSize, pageToken);
      return { peers: page.map(describePeer), nextPageToken };
    },
    async closePeer({ roomId, peerId, reason, refuseFor }) {
      const room = find(roomId);
      const peer = findPeer(room, peerId);
      const refuseForMs = refuseFor ? durationMs(refuseFor) : 0;
      rooms.removePeer(room, peer, reason || 'removed by the service', refuseForMs);
      return {};
    },
    async pauseProducer({ roomId, producerId, by }) {
      const { owner, producer } = findProducer(find(roomId), producerId);
      await owner.publications.pauseByCommand(producer, by);
      return {};
    },
    async resumeProducer({ roomId, producerId, by }) {
      const { owner, producer } = findProducer(find(roomId), producerId);
      await owner.publications.resumeByCommand(producer, by);
      return {};
    },
    async closeProducer({ roomId, producerId }) {
      const { owner, producer } = findProducer(find(roomId), producerId);
      owner.publications.closeByCommand(producer);
      return {};
    },
    async sendNotification({ roomId, peerIds, from, dataJson }) {
      const room = find(roomId);
      const data: unknown = JSON.parse(dataJson);
      const wanted = peerIds.length > 0 ? new Set(peerIds) : new Set(room.peers.map(({ id }) => id));
      for (const peerId of wanted) room.get(peerId)?.notify('message', { from, data });
      return { unknownPeerIds: [...wanted].filter((peerId) => !room.has(peerId)) };
    },
    async getStats({ roomId, peerId }, { signal }) {
      const stats = await findPeer(find(roomId), peerId).getAllStats(signal);
      return { stats: stats.map(({ of, id, stats: measured }) => ({ of, id, statsJson: JSON.stringify(measured) })) };
    },
    async drain() {
      hooks.drain();
      return { rooms: rooms.size, peers: rooms.peerCount };
    },
    async *watchEvents(request, { signal }) {
      if (watchers >= MAX_WATCHERS) {
        metrics.limited.inc({ limit: 'watchers' });
        throw new CommandError(status.RESOURCE_EXHAUSTED, `${MAX_WATCHERS} watch already`);
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

/** @param items in the order of their ids. */
function pageOf<T>(items: readonly T[], idOf: (item: T) => string, pageSize: number, pageToken: string) {
  const size = Math.min(pageSize || DEFAULT_PAGE, MAX_PAGE);
  const rest = items.filter((item) => idOf(item) > pageToken);
  const page = rest.slice(0, size);
  const last = page.at(-1);
  return { page, nextPageToken: last !== undefined && rest.length > size ? idOf(last) : '' };
}

function findPeer(room: Room, peerId: string): Peer {
  const peer = room.get(peerId);
  if (!peer) throw new CommandError(status.NOT_FOUND, 'there is no such peer in the room');
  return peer;
}

function findProducer(room: Room, producerId: string): { owner: Peer; producer: types.Producer } {
  const owner = room.catalogue.ownerOf(producerId);
  const producer = owner?.publications.producers.find(producerId);
  if (!owner || !producer) throw new CommandError(status.NOT_FOUND, 'there is no such producer in the room');
  return { owner, producer };
}

const describeRoom = (room: Room): MessageInitShape<typeof RoomSchema> => ({
  roomId: room.id,
  epoch: BigInt(room.epoch),
  createdAt: timestampFromDate(room.createdAt),
  peers: room.peers.map((peer) => ({
    peerId: peer.id,
    joinedAt: timestampFromDate(peer.joinedAt),
    producers: peer.producerCount,
    consumers: peer.consumerCount,
  })),
  rtpCapabilitiesJson: JSON.stringify(room.rtpCapabilities),
});

const describePipe = ({ sent, from, to, users }: Pipe): MessageInitShape<typeof PipeSchema> => ({
  producerId: sent.id,
  kind: 'kind' in sent ? sent.kind : 'data',
  fromWorkerPid: from.on.worker.pid,
  toWorkerPid: to.on.worker.pid,
  consumers: users,
});

const describePeer = (peer: Peer): MessageInitShape<typeof PeerDetailsSchema> => ({
  peerId: peer.id,
  joinedAt: timestampFromDate(peer.joinedAt),
  appDataJson: JSON.stringify(peer.appData),
  producers: [...peer.publications.producers].map((producer) => ({
    producerId: producer.id,
    kind: producer.kind,
    paused: producer.paused,
    pausedByCommand: peer.publications.isPausedByCommand(producer),
    appDataJson: JSON.stringify(producer.appData),
  })),
  consumers: peer.consumerCount,
});
