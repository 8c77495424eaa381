import type { NotificationData, TransportOptions } from '@mediasoup-server/proto/signaling';
import type { types } from 'mediasoup';
import type { RequestError } from '../errors.ts';
import type { RoomDataProducer, RoomProducer } from '../rooms/RoomProducers.ts';

export const describeError = ({ status, code, message }: RequestError): NotificationData<'error'> => ({
  code: status,
  reason: message,
  reasonCode: code,
});

export const describeProducer = ({
  id,
  kind,
  peerId,
  appData,
  paused,
}: RoomProducer): NotificationData<'newProducer'> => ({ producerId: id, kind, peerId, appData, paused });

export const describeDataProducer = ({
  id,
  peerId,
  label,
  protocol,
  appData,
}: RoomDataProducer): NotificationData<'newDataProducer'> => ({ dataProducerId: id, peerId, label, protocol, appData });

/** Reads each of mediasoup's getters once: they clone what they return. */
export function describeTransport(transport: types.WebRtcTransport): TransportOptions {
  const { id: transportId, iceParameters, iceCandidates, dtlsParameters, sctpParameters } = transport;
  return { transportId, iceParameters, iceCandidates, dtlsParameters, ...(sctpParameters && { sctpParameters }) };
}
