import { z } from 'zod';
import { iceServerSchema } from '../http.ts';
import { idSchema } from '../ids.ts';
import type { ErrorCode } from './errors.ts';
import {
  appData,
  direction,
  dtlsParameters,
  kind,
  layers,
  message,
  peerInfo,
  sctpStreamParameters,
  serverId,
  snapshot,
  transportOptions,
} from './media.ts';
import { rtpCapabilities, rtpParameters } from './rtp.ts';

const empty = z.object({});
const noProducer = { 404: 'The peer has no such producer.' };
const noConsumer = { 404: 'The peer has no such consumer.' };
const noTransport = { 404: 'The peer has no such transport.' };
const cannotSend = {
  403: 'The peer may not publish.',
  404: 'The peer has no transport `transportId`.',
  409: 'The peer has no send transport, or `transportId` is another one, or it uses the SSRC, MID or stream already.',
};

const ofTransport = z.object({ transportId: serverId });
const ofProducer = z.object({ producerId: serverId });
const ofConsumer = z.object({ consumerId: serverId });
const ofDataProducer = z.object({ dataProducerId: serverId });
const ofDataConsumer = z.object({ dataConsumerId: serverId });

type Request = {
  readonly summary: string;
  readonly data: z.ZodType;
  readonly response: z.ZodType;
  readonly errors: Partial<Record<ErrorCode, string>>;
};

/**
 * What a client asks: each method's `data`, what the answer's `data` holds, and the errors beside those that any request
 * may have.
 */
export const requests = {
  joinRoom: {
    summary:
      'Joins the room of the connection, or with `sessionId` goes on with a session whose socket was lost. The producers that exist are announced right after the answer; a resumed session gets a `snapshot` instead.',
    data: z.object({
      roomId: idSchema.meta({ description: 'That of the connection.' }),
      peerId: idSchema.meta({ description: 'That of the connection.' }),
      appData: appData.optional(),
      rtpCapabilities: rtpCapabilities
        .optional()
        .meta({ description: 'Not used: `consume` says what can be received.' }),
      transports: z.array(direction).max(2).optional().meta({ description: 'The transports to make at once.' }),
      sessionId: z
        .string()
        .max(128)
        .optional()
        .meta({ description: 'The session to go on with; else that of the address, where it has one.' }),
      lastMessage: z.int().nonnegative().optional().meta({
        description:
          'With `sessionId`: the `sequence` of the last `peerMessage` that came. Those after it are sent again.',
      }),
      messagesOfMs: z.int().min(0).max(60_000).optional().meta({
        description: 'Of a peer that moves here: messages of so many milliseconds before it joins are sent as well.',
      }),
    }),
    response: z.object({
      rtpCapabilities,
      peers: z.array(peerInfo).meta({ description: 'The others in the room.' }),
      sessionId: z.string().meta({ description: 'Goes on with this session over another socket. Keep it secret.' }),
      resumed: z.boolean().meta({ description: 'Whether the session goes on; otherwise the peer has joined anew.' }),
      transports: z.object({ send: transportOptions.optional(), recv: transportOptions.optional() }).optional().meta({
        description:
          'Those that were asked for and are new: a session that goes on has its former ones in the snapshot.',
      }),
      iceServers: z
        .array(
          iceServerSchema.meta({
            id: 'IceServer',
            description: 'A STUN or TURN server, as RTCPeerConnection takes it.',
          }),
        )
        .meta({ description: "For the client's transports; empty where none is needed." }),
      snapshot: snapshot.optional().meta({ description: 'Of a resumed session: everything that it has and sees.' }),
    }),
    errors: {
      401: 'The token is not valid; the connection is closed for good.',
      403: '`roomId` or `peerId` is not that of the connection.',
      409: 'The peer has joined already, or the room is on another daemon: the reason says which.',
      429: 'The peer joins too often, or announces too much.',
      503: 'The room is full (the reason begins with `ROOM_FULL:`), or the daemon is draining or has no media worker just now.',
    },
  },
  leaveRoom: { summary: 'Leaves the room; the server closes the socket.', data: empty, response: empty, errors: {} },
  updateAppData: {
    summary: 'Replaces what the application has attached to the peer; the others are told.',
    data: z.object({ appData }),
    response: empty,
    errors: { 429: 'The peer announces too much, or the peers of the room do together.' },
  },
  sendMessage: {
    summary:
      'Sends a message to the others, or to some of them, as `peerMessage`. The messages of a `senderId` arrive in order; one that is asked again is sent once.',
    data: z.object({
      ...message,
      to: z.array(idSchema).max(256).optional().meta({ description: 'Whom it is for; everybody by default.' }),
      after: z.int().nonnegative().optional().meta({
        description: 'The number of the message before it. Where that has not come, this one is refused with 409.',
      }),
    }),
    response: empty,
    errors: {
      403: 'The peer may not send messages: the grant `data` is missing.',
      409: 'The message `after` has not come; it comes first.',
      429: 'The peer sends more bytes than it may.',
    },
  },
  createWebRtcTransport: {
    summary: 'Makes the transport that the peer sends on or the one that it receives on, one of each at most.',
    data: z.object({
      direction,
      forceTcp: z.boolean().optional().meta({ description: 'Offers no UDP, for networks that block it.' }),
    }),
    response: transportOptions,
    errors: { 409: 'The peer has a transport in this direction.' },
  },
  connectWebRtcTransport: {
    summary: "Gives a transport the client's DTLS parameters.",
    data: ofTransport.extend({ dtlsParameters }),
    response: empty,
    errors: { ...noTransport, 409: 'The transport is connected already.' },
  },
  restartIce: {
    summary: 'Gives a transport new ICE credentials, after a change of network.',
    data: ofTransport,
    response: z.object({ iceParameters: transportOptions.shape.iceParameters }),
    errors: noTransport,
  },
  produce: {
    summary: 'Sends a track, on the send transport unless `transportId` names one.',
    data: z.object({
      kind,
      rtpParameters,
      appData: appData.optional(),
      transportId: serverId.optional().meta({ description: 'The send transport, by default.' }),
      paused: z.boolean().optional().meta({ description: 'Begins paused; false by default.' }),
    }),
    response: ofProducer,
    errors: {
      ...cannotSend,
      422: 'Several encodings of VP9 or AV1, which take one with a `scalabilityMode`.',
      429: 'The peer has as many producers as it may, or announces too much.',
    },
  },
  pauseProducer: { summary: 'Pauses an own producer.', data: ofProducer, response: empty, errors: noProducer },
  resumeProducer: {
    summary: 'Resumes an own producer.',
    data: ofProducer,
    response: empty,
    errors: { ...noProducer, 403: 'A backend has paused it.', 429: 'The peer announces too much.' },
  },
  closeProducer: { summary: 'Stops sending a track.', data: ofProducer, response: empty, errors: noProducer },
  consume: {
    summary:
      'Receives a producer of another peer, on the receive transport. The consumer starts paused unless asked not to.',
    data: ofProducer.extend({
      rtpCapabilities,
      paused: z.boolean().optional().meta({ description: 'Begins paused; true by default.' }),
    }),
    response: z.object({
      consumerId: serverId,
      producerId: serverId,
      peerId: idSchema.meta({ description: 'Who sends it.' }),
      kind,
      rtpParameters,
      type: z.string().meta({ description: '`simple`, `simulcast` or `svc`: whether it has layers to choose of.' }),
      appData,
      producerPaused: z.boolean().meta({ description: 'Whether its owner has paused the producer.' }),
    }),
    errors: {
      403: 'The peer may not subscribe.',
      404: 'There is no such producer in the room.',
      409: 'The peer has no receive transport, or the producer is its own.',
      422: 'The given `rtpCapabilities` cannot receive this producer.',
      429: 'The peer has as many consumers as it may.',
    },
  },
  pause: { summary: 'Pauses an own consumer.', data: ofConsumer, response: empty, errors: noConsumer },
  resume: { summary: 'Resumes an own consumer.', data: ofConsumer, response: empty, errors: noConsumer },
  closeConsumer: { summary: 'Stops receiving a producer.', data: ofConsumer, response: empty, errors: noConsumer },
  setPreferredLayers: {
    summary: 'Chooses the best simulcast or SVC layer that an own consumer receives; the network may force less.',
    data: ofConsumer.extend(layers.shape),
    response: empty,
    errors: { ...noConsumer, 409: 'The consumer has no layers: its `type` is `simple`.' },
  },
  setPriority: {
    summary:
      'Says which consumers keep their quality when the bandwidth does not suffice: 1 is the least, 255 the most.',
    data: ofConsumer.extend({ priority: z.int().min(1).max(255) }),
    response: empty,
    errors: noConsumer,
  },
  requestKeyFrame: {
    summary: "Asks a consumer's sender for a key frame; requests of many consumers are merged.",
    data: ofConsumer,
    response: empty,
    errors: noConsumer,
  },
  produceData: {
    summary: 'Sends on a data channel of the send transport.',
    data: z.object({
      sctpStreamParameters,
      transportId: serverId.optional().meta({ description: 'The send transport, by default.' }),
      label: z
        .string()
        .max(128)
        .optional()
        .meta({ description: 'Handed on to who consumes it; at most 128 characters.' }),
      protocol: z
        .string()
        .max(128)
        .optional()
        .meta({ description: 'Handed on to who consumes it; at most 128 characters.' }),
      appData: appData.optional(),
    }),
    response: ofDataProducer,
    errors: {
      ...cannotSend,
      403: 'The peer may not use data channels.',
      429: 'The peer has as many data producers as it may, or announces too much.',
    },
  },
  closeDataProducer: {
    summary: 'Ends an own data channel.',
    data: ofDataProducer,
    response: empty,
    errors: { 404: 'The peer has no such data producer.' },
  },
  consumeData: {
    summary: "Receives another peer's data channel, on the receive transport.",
    data: ofDataProducer,
    response: z.object({
      dataConsumerId: serverId,
      dataProducerId: serverId,
      peerId: idSchema.meta({ description: 'Who sends on it.' }),
      sctpStreamParameters,
      label: z.string(),
      protocol: z.string(),
      appData,
    }),
    errors: {
      403: 'The peer may not use data channels.',
      404: 'There is no such data producer in the room.',
      409: 'The peer has no receive transport, or the data producer is its own.',
      429: 'The peer has as many data consumers as it may.',
    },
  },
  closeDataConsumer: {
    summary: 'Stops receiving a data channel.',
    data: ofDataConsumer,
    response: empty,
    errors: { 404: 'The peer has no such data consumer.' },
  },
  getStats: {
    summary: 'The statistics that mediasoup keeps of one own transport, producer, consumer, data producer or consumer.',
    data: z.union([
      ofTransport.strict(),
      ofProducer.strict(),
      ofConsumer.strict(),
      ofDataProducer.strict(),
      ofDataConsumer.strict(),
    ]),
    response: z.object({
      stats: z.array(z.looseObject({})).meta({ description: "mediasoup's own, one for each stream." }),
    }),
    errors: { 404: 'The peer has no such thing.' },
  },
  ping: { summary: 'Asks whether the server is there.', data: empty, response: empty, errors: {} },
} as const satisfies Record<string, Request>;
export type Method = keyof typeof requests;
export type RequestData<M extends Method> = z.infer<(typeof requests)[M]['data']>;
export type ResponseData<M extends Method> = z.infer<(typeof requests)[M]['response']>;
