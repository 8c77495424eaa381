import { z } from 'zod';
import { iceServerSchema } from '../http.ts';
import { idSchema } from '../ids.ts';
import {
  appData,
  direction,
  dtlsParameters,
  kind,
  layers,
  peerInfo,
  rtpCapabilities,
  rtpParameters,
  sctpStreamParameters,
  serverId,
  snapshot,
  transportOptions,
} from './media.ts';

const empty = z.object({});
const ofTransport = z.object({ transportId: serverId });
const ofProducer = z.object({ producerId: serverId });
const ofConsumer = z.object({ consumerId: serverId });
const ofDataProducer = z.object({ dataProducerId: serverId });
const ofDataConsumer = z.object({ dataConsumerId: serverId });

/** What a client asks: each method's `data` and what the answer's `data` holds. */
export const requests = {
  joinRoom: {
    summary:
      'Joins the room of the connection, or with `sessionId` goes on with a session whose socket was lost. The producers that exist are announced right after the answer; a resumed session gets a `snapshot` instead.',
    data: z.object({
      roomId: idSchema,
      peerId: idSchema,
      appData: appData.optional(),
      rtpCapabilities: rtpCapabilities.optional(),
      transports: z.array(direction).max(2).optional().meta({ description: 'The transports to make at once.' }),
      sessionId: z.string().max(128).optional().meta({ description: 'The session to go on with.' }),
    }),
    response: z.object({
      rtpCapabilities,
      peers: z.array(peerInfo).meta({ description: 'The others in the room.' }),
      sessionId: z.string().meta({ description: 'Goes on with this session over another socket. Keep it secret.' }),
      resumed: z.boolean().meta({ description: 'Whether the session goes on; otherwise the peer has joined anew.' }),
      transports: z
        .object({ send: transportOptions.optional(), recv: transportOptions.optional() })
        .optional()
        .meta({ description: 'Those that were asked for and made.' }),
      iceServers: z.array(iceServerSchema),
      snapshot: snapshot.optional().meta({ description: 'Of a resumed session: everything that it has and sees.' }),
    }),
  },
  leaveRoom: { summary: 'Leaves the room; the server closes the socket.', data: empty, response: empty },
  updateAppData: {
    summary: 'Replaces what the application has attached to the peer; the others are told.',
    data: z.object({ appData }),
    response: empty,
  },
  createWebRtcTransport: {
    summary: 'Makes the transport that the peer sends on or the one that it receives on, one of each at most.',
    data: z.object({
      direction,
      forceTcp: z.boolean().optional().meta({ description: 'Offers no UDP, for networks that block it.' }),
    }),
    response: transportOptions,
  },
  connectWebRtcTransport: {
    summary: "Gives a transport the client's DTLS parameters.",
    data: ofTransport.extend({ dtlsParameters }),
    response: empty,
  },
  restartIce: {
    summary: 'Gives a transport new ICE credentials, after a change of network.',
    data: ofTransport,
    response: z.object({ iceParameters: transportOptions.shape.iceParameters }),
  },
  produce: {
    summary: 'Sends a track, on the send transport unless `transportId` names one.',
    data: z.object({
      kind,
      rtpParameters,
      appData: appData.optional(),
      transportId: serverId.optional(),
      paused: z.boolean().optional().meta({ description: 'Begins paused; false by default.' }),
    }),
    response: ofProducer,
  },
  pauseProducer: { summary: 'Pauses an own producer.', data: ofProducer, response: empty },
  resumeProducer: { summary: 'Resumes an own producer.', data: ofProducer, response: empty },
  closeProducer: { summary: 'Stops sending a track.', data: ofProducer, response: empty },
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
      peerId: idSchema,
      kind,
      rtpParameters,
      type: z.string().meta({ description: '`simple`, `simulcast` or `svc`.' }),
      appData,
      producerPaused: z.boolean().meta({ description: 'Whether its owner has paused the producer.' }),
    }),
  },
  pause: { summary: 'Pauses an own consumer.', data: ofConsumer, response: empty },
  resume: { summary: 'Resumes an own consumer.', data: ofConsumer, response: empty },
  closeConsumer: { summary: 'Stops receiving a producer.', data: ofConsumer, response: empty },
  setPreferredLayers: {
    summary: 'Chooses the best simulcast or SVC layer that an own consumer receives; the network may force less.',
    data: ofConsumer.extend(layers.shape),
    response: empty,
  },
  setPriority: {
    summary:
      'Says which consumers keep their quality when the bandwidth does not suffice: 1 is the least, 255 the most.',
    data: ofConsumer.extend({ priority: z.int().min(1).max(255) }),
    response: empty,
  },
  requestKeyFrame: {
    summary: "Asks a consumer's sender for a key frame; requests of many consumers are merged.",
    data: ofConsumer,
    response: empty,
  },
  produceData: {
    summary: 'Sends on a data channel of the send transport.',
    data: z.object({
      sctpStreamParameters,
      transportId: serverId.optional(),
      label: z.string().max(128).optional(),
      protocol: z.string().max(128).optional(),
      appData: appData.optional(),
    }),
    response: ofDataProducer,
  },
  closeDataProducer: { summary: 'Ends an own data channel.', data: ofDataProducer, response: empty },
  consumeData: {
    summary: "Receives another peer's data channel, on the receive transport.",
    data: ofDataProducer,
    response: z.object({
      dataConsumerId: serverId,
      dataProducerId: serverId,
      peerId: idSchema,
      sctpStreamParameters,
      label: z.string(),
      protocol: z.string(),
      appData,
    }),
  },
  closeDataConsumer: { summary: 'Stops receiving a data channel.', data: ofDataConsumer, response: empty },
  getStats: {
    summary: 'The statistics that mediasoup keeps of one own transport, producer, consumer, data producer or consumer.',
    data: z.union([
      ofTransport.strict(),
      ofProducer.strict(),
      ofConsumer.strict(),
      ofDataProducer.strict(),
      ofDataConsumer.strict(),
    ]),
    response: z.object({ stats: z.array(z.looseObject({})) }),
  },
  ping: { summary: 'Asks whether the server is there.', data: empty, response: empty },
} as const;
export type Method = keyof typeof requests;
export type RequestData<M extends Method> = z.infer<(typeof requests)[M]['data']>;
export type ResponseData<M extends Method> = z.infer<(typeof requests)[M]['response']>;
