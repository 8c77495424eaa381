import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import type {
  PeerDetailsSchema,
  PipeSchema,
  RoomSchema,
  RoomSummarySchema,
  StatsSchema,
} from '@mediasoup-server/proto/daemon';
import type { Measurable, Peer } from '../peers/Peer.ts';
import type { Room } from '../rooms/Room.ts';
import type { Pipe } from '../routers/Pipe.ts';

/** mediasoup's statistics of one thing, unless it has gone meanwhile. */
export async function measure(
  { of, thing }: Measurable,
  signal: AbortSignal,
): Promise<MessageInitShape<typeof StatsSchema> | undefined> {
  signal.throwIfAborted();
  try {
    return { of, id: thing.id, statsJson: JSON.stringify(await thing.getStats()) };
  } catch (error) {
    if (thing.closed) return undefined;
    throw error;
  }
}

export const summarizeRoom = ({
  id,
  epoch,
  createdAt,
  peerCount,
}: Room): MessageInitShape<typeof RoomSummarySchema> => ({
  roomId: id,
  epoch: BigInt(epoch),
  createdAt: timestampFromDate(createdAt),
  peers: peerCount,
});

export const describeRoom = (room: Room): MessageInitShape<typeof RoomSchema> => ({
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

export const describePipe = ({ sent, from, to, users, flowing }: Pipe): MessageInitShape<typeof PipeSchema> => ({
  producerId: sent.id,
  kind: 'kind' in sent ? sent.kind : 'data',
  fromWorkerPid: from.pooledWorker.worker.pid,
  toWorkerPid: to.pooledWorker.worker.pid,
  consumers: users,
  flowing,
});

export const describePeer = (peer: Peer): MessageInitShape<typeof PeerDetailsSchema> => ({
  peerId: peer.id,
  joinedAt: timestampFromDate(peer.joinedAt),
  appDataJson: JSON.stringify(peer.appData),
  producers: [...peer.producers.media].map((producer) => ({
    producerId: producer.id,
    kind: producer.kind,
    paused: producer.paused,
    pausedByCommand: peer.producers.isPausedByCommand(producer),
    appDataJson: JSON.stringify(producer.appData),
  })),
  consumers: peer.consumerCount,
  disconnected: !peer.isConnected,
  dataProducers: [...peer.producers.data].map(({ id, label, protocol, appData }) => ({
    dataProducerId: id,
    label,
    protocol,
    appDataJson: JSON.stringify(appData),
  })),
});
