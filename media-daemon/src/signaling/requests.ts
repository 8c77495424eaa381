import { type Method, type RequestData, type ResponseData, requests } from '@mediasoup-server/proto/signaling';
import { RequestError } from '../errors.ts';
import type { Peer } from '../rooms/Peer.ts';

/** The methods that a peer of a room asks; joining and leaving are the connection's. */
type PeerMethod = Exclude<Method, 'joinRoom' | 'leaveRoom' | 'ping'>;

type Handlers = { [M in PeerMethod]: (peer: Peer, data: RequestData<M>) => Promise<ResponseData<M>> };

const handlers: Handlers = {
  createWebRtcTransport: (peer, data) => peer.createWebRtcTransport(data),
  connectWebRtcTransport: async (peer, data) => done(await peer.connectWebRtcTransport(data)),
  restartIce: (peer, data) => peer.restartIce(data),
  produce: (peer, data) => peer.produce(data),
  pauseProducer: async (peer, data) => done(await peer.pauseProducer(data)),
  resumeProducer: async (peer, data) => done(await peer.resumeProducer(data)),
  closeProducer: async (peer, data) => done(peer.closeProducer(data)),
  consume: (peer, data) => peer.consume(data),
  pause: async (peer, data) => done(await peer.pause(data)),
  resume: async (peer, data) => done(await peer.resume(data)),
  closeConsumer: async (peer, data) => done(peer.closeConsumer(data)),
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
export const handleRequest = <M extends PeerMethod>(
  peer: Peer,
  method: M,
  data: RequestData<M>,
): Promise<ResponseData<M>> => handlers[method](peer, data);
