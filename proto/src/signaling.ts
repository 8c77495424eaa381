import { z } from 'zod';
import { iceServerSchema } from './http.ts';
import { idSchema } from './ids.ts';

/** The WebSocket subprotocol. */
export const SUBPROTOCOL = 'protoo';

/** The close code after which a client must not connect again; an `error` notification has said why. */
export const CLOSE_FOR_GOOD = 4000;

/** The close code after which a client connects again ("service restart", RFC 6455 registry). */
export const CLOSE_COME_BACK = 1012;

const kind = z.enum(['audio', 'video']);
const appData = z.record(z.string(), z.unknown());
const serverId = z.string().min(1).max(128);
const direction = z.enum(['send', 'recv']);

/**
 * mediasoup's own structures: only their outline is checked here, since mediasoup checks what is inside and says
 * what is wrong with it.
 */
const rtpParameters = z.looseObject({ codecs: z.array(z.looseObject({})) });
const rtpCapabilities = z.looseObject({
  codecs: z.array(z.looseObject({})).optional(),
  headerExtensions: z.array(z.looseObject({})).optional(),
});
const dtlsParameters = z.strictObject({
  role: z.enum(['auto', 'client', 'server']).optional(),
  fingerprints: z
    .array(z.strictObject({ algorithm: z.string().max(16), value: z.string().min(1).max(256) }))
    .min(1)
    .max(8),
});

const transportOptions = z.object({
  transportId: serverId,
  iceParameters: z.looseObject({ usernameFragment: z.string(), password: z.string() }),
  iceCandidates: z.array(z.looseObject({})),
  dtlsParameters: z.looseObject({ fingerprints: z.array(z.looseObject({})) }),
});
export type TransportOptions = z.infer<typeof transportOptions>;

const empty = z.object({});
const peerInfo = z.object({ peerId: idSchema, appData });

/** What a client asks: each method's `data` and what the answer's `data` holds. */
export const requests = {
  joinRoom: {
    summary: 'Joins the room of the connection. The producers that exist are announced right after the answer.',
    data: z.object({
      roomId: idSchema,
      peerId: idSchema,
      appData: appData.optional(),
      rtpCapabilities: rtpCapabilities.optional(),
      transports: z.array(direction).max(2).optional(),
    }),
    response: z.object({
      rtpCapabilities,
      peers: z.array(peerInfo),
      transports: z.object({ send: transportOptions.optional(), recv: transportOptions.optional() }).optional(),
      iceServers: z.array(iceServerSchema),
    }),
  },
  leaveRoom: { summary: 'Leaves the room; the server closes the socket.', data: empty, response: empty },
  createWebRtcTransport: {
    summary: 'Makes the transport that the peer sends on or the one that it receives on, one of each at most.',
    data: z.object({ direction, forceTcp: z.boolean().optional() }),
    response: transportOptions,
  },
  connectWebRtcTransport: {
    summary: "Gives a transport the client's DTLS parameters.",
    data: z.object({ transportId: serverId, dtlsParameters }),
    response: empty,
  },
  restartIce: {
    summary: 'Gives a transport new ICE credentials, after a change of network.',
    data: z.object({ transportId: serverId }),
    response: z.object({ iceParameters: transportOptions.shape.iceParameters }),
  },
  produce: {
    summary: 'Sends a track, on the send transport unless `transportId` names one.',
    data: z.object({
      kind,
      rtpParameters,
      appData: appData.optional(),
      transportId: serverId.optional(),
      paused: z.boolean().optional(),
    }),
    response: z.object({ producerId: serverId }),
  },
  pauseProducer: { summary: 'Pauses an own producer.', data: z.object({ producerId: serverId }), response: empty },
  resumeProducer: { summary: 'Resumes an own producer.', data: z.object({ producerId: serverId }), response: empty },
  closeProducer: { summary: 'Stops sending a track.', data: z.object({ producerId: serverId }), response: empty },
  consume: {
    summary:
      'Receives a producer of another peer, on the receive transport. The consumer starts paused unless asked not to.',
    data: z.object({ producerId: serverId, rtpCapabilities, paused: z.boolean().optional() }),
    response: z.object({
      consumerId: serverId,
      producerId: serverId,
      peerId: idSchema,
      kind,
      rtpParameters,
      type: z.string(),
      appData,
      producerPaused: z.boolean(),
    }),
  },
  pause: { summary: 'Pauses an own consumer.', data: z.object({ consumerId: serverId }), response: empty },
  resume: { summary: 'Resumes an own consumer.', data: z.object({ consumerId: serverId }), response: empty },
  closeConsumer: { summary: 'Stops receiving a producer.', data: z.object({ consumerId: serverId }), response: empty },
  ping: { summary: 'Asks whether the server is there.', data: empty, response: empty },
} as const;
export type Method = keyof typeof requests;
export type RequestData<M extends Method> = z.infer<(typeof requests)[M]['data']>;
export type ResponseData<M extends Method> = z.infer<(typeof requests)[M]['response']>;

/** What the server tells a client: each notification's `data`. */
export const notifications = {
  newProducer: {
    summary: 'A producer of another peer is there to be consumed.',
    data: z.object({ producerId: serverId, kind, peerId: idSchema, appData, paused: z.boolean() }),
  },
  consumerPaused: {
    summary: 'An own consumer gets no media any more: it or its producer was paused.',
    data: z.object({ consumerId: serverId }),
  },
  consumerResumed: {
    summary: 'An own consumer gets media again: neither it nor its producer is paused.',
    data: z.object({ consumerId: serverId }),
  },
  producerClosed: {
    summary: 'A producer of another peer is gone, and the consumers of it.',
    data: z.object({ producerId: serverId, peerId: idSchema }),
  },
  consumerClosed: {
    summary: 'An own consumer was closed for another reason than its producer.',
    data: z.object({ consumerId: serverId }),
  },
  transportClosed: { summary: 'An own transport was closed.', data: z.object({ transportId: serverId }) },
  peerJoined: { summary: 'A peer joined the room.', data: peerInfo },
  peerLeft: { summary: 'A peer left the room.', data: z.object({ peerId: idSchema }) },
  roomClosed: { summary: 'The room was closed; the socket follows.', data: z.object({ reason: z.string() }) },
  reconnect: {
    summary:
      'The client moves before `deadlineMs`: with the reason `worker` it joins again here, else it asks for a new assignment.',
    data: z.object({ reason: z.enum(['worker', 'drain', 'fenced']), deadlineMs: z.int().nonnegative() }),
  },
  error: {
    summary: 'What went wrong with the connection, or with the notification `method` that the client sent.',
    data: z.object({ code: z.int(), reason: z.string(), method: z.string().optional() }),
  },
} as const;
export type Notification = keyof typeof notifications;
export type NotificationData<N extends Notification> = z.infer<(typeof notifications)[N]['data']>;
