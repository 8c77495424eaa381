import type { Snapshot } from '@mediasoup-server/proto/signaling';
import type { Peer } from '../peers/Peer.ts';
import type { RoomView } from '../rooms/RoomEvent.ts';
import { describeDataProducer, describeProducer, describeTransport } from './wireShapes.ts';

/** Everything that a peer has, and what it sees of the others: for a session that is resumed. */
export const snapshotOf = (peer: Peer, view: RoomView): Snapshot => ({
  transports: [...peer.transports.byDirection].map(([direction, transport]) => ({
    ...describeTransport(transport),
    direction,
    connected: peer.transports.isConnected(transport.id),
  })),
  ...ownProducersOf(peer),
  consumers: [...peer.consumers.media].map((consumer) => ({
    consumerId: consumer.id,
    producerId: consumer.producerId,
    paused: consumer.paused,
    producerPaused: peer.consumers.producerOf(consumer)?.paused ?? consumer.producerPaused,
  })),
  dataConsumers: [...peer.consumers.data].map(({ id, dataProducerId }) => ({ dataConsumerId: id, dataProducerId })),
  producers: view.producers.map(describeProducer),
  dataProducers: view.dataProducers.map(describeDataProducer),
  activeSpeaker: view.activeSpeaker,
  audioLevels: [...view.audioLevels],
});

function ownProducersOf({ transports, producers }: Peer): Pick<Snapshot, 'ownProducers' | 'ownDataProducers'> {
  // Both kinds are on the send transport, and close with it.
  const transportId = transports.byDirection.get('send')?.id ?? '';
  return {
    ownProducers: [...producers.media].map((producer) => {
      const { mid } = producer.rtpParameters;
      const wanted = producers.layersWanted(producer);
      return {
        producerId: producer.id,
        transportId,
        ...(mid !== undefined && { mid }),
        kind: producer.kind,
        appData: producer.appData,
        paused: producer.paused,
        ...(wanted && { spatialLayerWanted: wanted.announced }),
      };
    }),
    ownDataProducers: [...producers.data].map(({ id, sctpStreamParameters, label }) => ({
      dataProducerId: id,
      transportId,
      ...(sctpStreamParameters && { streamId: sctpStreamParameters.streamId }),
      label,
    })),
  };
}
