import { type Method, type RequestData, type ResponseData, requests } from '@mediasoup-server/proto/signaling';
import type { types } from 'mediasoup';
import { RequestError } from '../errors.ts';
import type { Peer } from '../peers/Peer.ts';
import { describeTransport } from './wireShapes.ts';

/** The methods of a peer that has joined; `Connection` answers the others. */
type PeerMethod = Exclude<Method, 'joinRoom' | 'leaveRoom' | 'ping'>;

type Handlers = { [M in PeerMethod]: (peer: Peer, data: RequestData<M>) => Promise<ResponseData<M>> };

const handlers: Handlers = {
  updateAppData: async (peer, { appData }) => done(peer.updateAppData(appData)),
  sendMessage: async ({ messages }, data) => done(messages.send(data)),
  getStats: async (peer, data) => ({ stats: await peer.getStats(data) }),
  createWebRtcTransport: async ({ transports }, { direction, forceTcp }) =>
    describeTransport(await transports.create(direction, forceTcp)),
  connectWebRtcTransport: async ({ transports }, { transportId, dtlsParameters }) =>
    done(await transports.connect(transportId, dtlsParameters as types.DtlsParameters)),
  restartIce: async ({ transports }, { transportId }) => ({ iceParameters: await transports.restartIce(transportId) }),
  produce: async ({ producers }, { rtpParameters, ...data }) => {
    const { id } = await producers.produce({ ...data, rtpParameters: rtpParameters as unknown as types.RtpParameters });
    return { producerId: id };
  },
  pauseProducer: async ({ producers }, { producerId }) => done(await producers.pauseProducer(producerId)),
  resumeProducer: async ({ producers }, { producerId }) => done(await producers.resumeProducer(producerId)),
  closeProducer: async ({ producers }, { producerId }) => done(producers.closeProducer(producerId)),
  produceData: async ({ producers }, { sctpStreamParameters, ...data }) => {
    const { id } = await producers.produceData({
      ...data,
      sctpStreamParameters: sctpStreamParameters as types.SctpStreamParameters,
    });
    return { dataProducerId: id };
  },
  closeDataProducer: async ({ producers }, { dataProducerId }) => done(producers.closeDataProducer(dataProducerId)),
  consume: async ({ consumers }, { rtpCapabilities, ...data }) => {
    const { consumer, producer } = await consumers.consume({
      ...data,
      rtpCapabilities: rtpCapabilities as types.RtpCapabilities,
    });
    return {
      consumerId: consumer.id,
      producerId: producer.id,
      peerId: producer.peerId,
      kind: consumer.kind,
      rtpParameters: consumer.rtpParameters as unknown as ResponseData<'consume'>['rtpParameters'],
      type: consumer.type,
      appData: producer.appData,
      producerPaused: producer.paused,
    };
  },
  pause: async ({ consumers }, { consumerId }) => done(await consumers.pauseConsumer(consumerId)),
  resume: async ({ consumers }, { consumerId }) => done(await consumers.resumeConsumer(consumerId)),
  closeConsumer: async ({ consumers }, { consumerId }) => done(consumers.closeConsumer(consumerId)),
  setPreferredLayers: async ({ consumers }, { consumerId, spatialLayer, temporalLayer }) => {
    const layers = { spatialLayer, ...(temporalLayer !== undefined && { temporalLayer }) };
    return done(await consumers.setPreferredLayers(consumerId, layers));
  },
  setPriority: async ({ consumers }, { consumerId, priority }) =>
    done(await consumers.setPriority(consumerId, priority)),
  requestKeyFrame: async ({ consumers }, { consumerId }) => done(await consumers.requestKeyFrame(consumerId)),
  consumeData: async ({ consumers }, data) => {
    const { dataConsumer, dataProducer } = await consumers.consumeData(data.dataProducerId);
    return {
      dataConsumerId: dataConsumer.id,
      dataProducerId: dataProducer.id,
      peerId: dataProducer.peerId,
      // Both of them are of SCTP, so the parameters are there.
      sctpStreamParameters: dataConsumer.sctpStreamParameters ?? { streamId: 0 },
      label: dataConsumer.label,
      protocol: dataConsumer.protocol,
      appData: dataProducer.appData,
    };
  },
  closeDataConsumer: async ({ consumers }, { dataConsumerId }) => done(consumers.closeDataConsumer(dataConsumerId)),
};

/** The answer of a method that answers nothing. */
const done = (_nothing: unknown) => ({});

export const isMethod = (name: string): name is Method => Object.hasOwn(requests, name);

/**
 * Checks a request's data by its schema.
 *
 * @throws RequestError 400 that names the field.
 */
export function parseRequest<M extends Method>(method: M, data: unknown): RequestData<M> {
  const parsed = requests[method].data.safeParse(data ?? {});
  if (parsed.success) return parsed.data as RequestData<M>;
  const issue = parsed.error.issues[0];
  throw new RequestError('INVALID_REQUEST', `${method}: ${issue?.path.join('.') || 'data'}: ${issue?.message}`);
}

/** Does what a peer asks, with data that was checked. */
export async function handleRequest<M extends PeerMethod>(
  peer: Peer,
  method: M,
  data: RequestData<M>,
): Promise<ResponseData<M>> {
  try {
    return await handlers[method](peer, data);
  } catch (error) {
    // mediasoup itself has failed, perhaps in a way that leaves its worker unusable.
    if (!(error instanceof RequestError)) peer.router.pooledWorker.check(error);
    throw error;
  }
}
