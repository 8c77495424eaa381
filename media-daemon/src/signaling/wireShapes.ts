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

export const describeTransport = (transport: types.WebRtcTransport): TransportOptions => ({
  transportId: transport.id,
  iceParameters: transport.iceParameters,
  iceCandidates: transport.iceCandidates,
  dtlsParameters: transport.dtlsParameters,
  ...(transport.sctpParameters && { sctpParameters: transport.sctpParameters }),
});
