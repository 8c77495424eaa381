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
  produce: ({ publications }, data) => publications.produce(data),
  pauseProducer: async ({ publications }, data) => done(await publications.pauseProducer(data)),
  resumeProducer: async ({ publications }, data) => done(await publications.resumeProducer(data)),
  closeProducer: async ({ publications }, data) => done(publications.closeProducer(data)),
  produceData: ({ publications }, data) => publications.produceData(data),
  closeDataProducer: async ({ publications }, data) => done(publications.closeDataProducer(data)),
  consume: ({ subscriptions }, data) => subscriptions.consume(data),
  pause: async ({ subscriptions }, data) => done(await subscriptions.pause(data)),
  resume: async ({ subscriptions }, data) => done(await subscriptions.resume(data)),
  closeConsumer: async ({ subscriptions }, data) => done(subscriptions.closeConsumer(data)),
  setPreferredLayers: async ({ subscriptions }, data) => done(await subscriptions.setPreferredLayers(data)),
  setPriority: async ({ subscriptions }, data) => done(await subscriptions.setPriority(data)),
  requestKeyFrame: async ({ subscriptions }, data) => done(await subscriptions.requestKeyFrame(data)),
  consumeData: ({ subscriptions }, data) => subscriptions.consumeData(data),
  closeDataConsumer: async ({ subscriptions }, data) => done(subscriptions.closeDataConsumer(data)),
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
    if (!(error instanceof RequestError)) peer.router.on.check(error);
    throw error;
  }
}
