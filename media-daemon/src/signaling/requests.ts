import { type Method, type RequestData, type ResponseData, requests } from '@mediasoup-server/proto/signaling';
import { RequestError } from '../errors.ts';
import type { Peer } from '../peers/Peer.ts';

/** The methods that a peer of a room asks; joining and leaving are the connection's. */
type PeerMethod = Exclude<Method, 'joinRoom' | 'leaveRoom' | 'ping'>;

type Handlers = { [M in PeerMethod]: (peer: Peer, data: RequestData<M>) => Promise<ResponseData<M>> };

const handlers: Handlers = {
  updateAppData: async (peer, data) => done(peer.updateAppData(data)),
  sendMessage: async ({ messages }, data) => done(messages.send(data)),
  getStats: (peer, data) => peer.getStats(data),
  createWebRtcTransport: ({ transports }, data) => transports.create(data),
  connectWebRtcTransport: async ({ transports }, data) => done(await transports.connect(data)),
  restartIce: ({ transports }, data) => transports.restartIce(data),
  produce: ({ producers }, data) => producers.produce(data),
  pauseProducer: async ({ producers }, data) => done(await producers.pauseProducer(data)),
  resumeProducer: async ({ producers }, data) => done(await producers.resumeProducer(data)),
  closeProducer: async ({ producers }, data) => done(producers.closeProducer(data)),
  produceData: ({ producers }, data) => producers.produceData(data),
  closeDataProducer: async ({ producers }, data) => done(producers.closeDataProducer(data)),
  consume: ({ consumers }, data) => consumers.consume(data),
  pause: async ({ consumers }, data) => done(await consumers.pause(data)),
  resume: async ({ consumers }, data) => done(await consumers.resume(data)),
  closeConsumer: async ({ consumers }, data) => done(consumers.closeConsumer(data)),
  setPreferredLayers: async ({ consumers }, data) => done(await consumers.setPreferredLayers(data)),
  setPriority: async ({ consumers }, data) => done(await consumers.setPriority(data)),
  requestKeyFrame: async ({ consumers }, data) => done(await consumers.requestKeyFrame(data)),
  consumeData: ({ consumers }, data) => consumers.consumeData(data),
  closeDataConsumer: async ({ consumers }, data) => done(consumers.closeDataConsumer(data)),
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
  throw new RequestError(400, `${method}: ${issue?.path.join('.') || 'data'}: ${issue?.message}`);
}

/** Does what a peer asks. The data has been checked. */
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
