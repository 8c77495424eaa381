import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { status } from '@grpc/grpc-js';
import type { MediaDaemon, RoomSchema } from '@mediasoup-server/proto/daemon';
import type { UnaryMethods } from '@mediasoup-server/proto/grpc';
import { idSchema } from '@mediasoup-server/proto/ids';
import { version as mediasoupVersion } from 'mediasoup';
import type { Room } from '../rooms/Room.ts';
import type { Rooms } from '../rooms/Rooms.ts';
import type { WorkerPool } from '../workers/WorkerPool.ts';

/** Who the daemon is. */
export type Identity = {
  readonly daemonId: string;
  /** One run of the daemon: a UUID made when it started. */
  readonly incarnation: () => string;
  readonly version: string;
  readonly startedAt: Date;
};

/** A failure of a command, as gRPC tells it. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly code: status;

  constructor(code: status, message: string) {
    super(message);
    this.code = code;
  }
}

/** Milliseconds that peers are given to follow a room that lives elsewhere; the drain ends what stays. */
const MOVE_MS = 10_000;
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
  rooms: Rooms,
  pool: WorkerPool,
  hooks: CommandHooks,
): UnaryMethods<typeof MediaDaemon> {
  const find = (roomId: string): Room => {
    const room = rooms.get(checkId(roomId));
    if (!room) throw new CommandError(status.NOT_FOUND, 'there is no such room on this daemon');
    return room;
  };
  return {
    async getInfo() {
      const list = rooms.list();
      return {
        daemonId: identity.daemonId,
        incarnation: identity.incarnation(),
        version: identity.version,
        mediasoupVersion,
        startedAt: timestampFromDate(identity.startedAt),
        workers: pool.workers.map(({ worker, rtcPort }) => ({
          pid: worker.pid,
          rtcPort,
          rooms: list.filter((room) => room.workerPid === worker.pid).length,
        })),
        rooms: rooms.size,
        peers: rooms.peerCount,
      };
    },
    async createRoom({ roomId, epoch }) {
      checkId(roomId);
      await hooks.beforeCreate(roomId);
      return { room: describeRoom(await rooms.getOrCreate(roomId, Number(epoch))) };
    },
    async getRoom({ roomId }) {
      return { room: describeRoom(find(roomId)) };
    },
    async listRooms({ pageSize, pageToken }) {
      const size = Math.min(pageSize || DEFAULT_PAGE, MAX_PAGE);
      const after = rooms.list().filter((room) => room.id > pageToken);
      const page = after.slice(0, size);
      return { rooms: page.map(describeRoom), nextPageToken: after.length > size ? (page.at(-1)?.id ?? '') : '' };
    },
    async closeRoom({ roomId, reason, movedEpoch }) {
      const room = find(roomId);
      if (movedEpoch === 0n) room.close('command', reason || 'closed by the service');
      else if (room.epoch < movedEpoch) room.askToMove(MOVE_MS);
      return {};
    },
    async drain() {
      hooks.drain();
      return { rooms: rooms.size, peers: rooms.peerCount };
    },
  };
}

function checkId(roomId: string): string {
  const parsed = idSchema.safeParse(roomId);
  if (!parsed.success) throw new CommandError(status.INVALID_ARGUMENT, `room_id ${parsed.error.issues[0]?.message}`);
  return parsed.data;
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
