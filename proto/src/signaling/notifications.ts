import { z } from 'zod';
import { idSchema } from '../ids.ts';
import {
  audioLevels,
  dataProducerInfo,
  message,
  peerInfo,
  producerInfo,
  serverId,
  spatialLayerWanted,
} from './media.ts';

/** mediasoup's score of an RTP stream: 0, nothing arrives, to 10, nothing is lost. */
const score = z.int().min(0).max(10).meta({ description: '0, nothing arrives, to 10, nothing is lost.' });

/** What the server tells a client: each notification's `data`. */
export const notifications = {
  newProducer: { summary: 'A producer of another peer is there to be consumed.', data: producerInfo },
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
  consumerLayersChanged: {
    summary: 'An own consumer receives other layers now; null when it receives none.',
    data: z.object({
      consumerId: serverId,
      spatialLayer: z.int().nullable().meta({ description: 'The resolution: 0 is the least.' }),
      temporalLayer: z.int().nullable().meta({ description: 'The frame rate: 0 is the least.' }),
    }),
  },
  consumerScore: {
    summary: "How well an own consumer and its producer's streams arrive.",
    data: z.object({
      consumerId: serverId,
      score,
      producerScore: score.meta({ description: 'Of the stream of the producer that is forwarded now.' }),
      producerScores: z.array(score).meta({ description: "Of each of the producer's encodings." }),
    }),
  },
  producerScore: {
    summary: "How well an own producer's streams arrive, one for each encoding.",
    data: z.object({
      producerId: serverId,
      scores: z.array(
        z.object({
          ssrc: z.int(),
          rid: z.string().optional().meta({ description: 'Of the encoding, where it has one.' }),
          score,
        }),
      ),
    }),
  },
  producerPaused: {
    summary: 'An own producer was paused by somebody else: a backend.',
    data: z.object({
      producerId: serverId,
      by: z.string().meta({ description: 'Who did it.' }),
      mayResume: z.boolean().meta({ description: 'Whether `resumeProducer` is allowed.' }),
    }),
  },
  producerResumed: {
    summary: 'An own producer may send again.',
    data: z.object({ producerId: serverId, by: z.string().meta({ description: 'Who allowed it.' }) }),
  },
  producerLayersWanted: {
    summary:
      'The highest spatial layer of an own video producer that any peer wants has changed. Encodings above it need not be sent.',
    data: z.object({ producerId: serverId, spatialLayer: spatialLayerWanted }),
  },
  newDataProducer: { summary: 'A data channel of another peer is there to be consumed.', data: dataProducerInfo },
  dataProducerClosed: {
    summary: 'A data channel of another peer, or an own one that a backend closed, is gone, and the consumers of it.',
    data: z.object({ dataProducerId: serverId, peerId: idSchema }),
  },
  activeSpeaker: {
    summary: 'Another peer, or oneself, speaks most; null when nobody does.',
    data: z.object({ peerId: idSchema.nullable() }),
  },
  audioLevels: {
    summary:
      'Who is heard and how loud, when others are heard or one of them is louder or quieter by 6 dB: it holds until the next.',
    data: z.object({ levels: audioLevels }),
  },
  transportClosed: {
    summary: 'An own transport was closed, and what was on it.',
    data: z.object({ transportId: serverId }),
  },
  peerJoined: { summary: 'A peer joined the room.', data: peerInfo },
  peerUpdated: { summary: 'What the application attached to a peer has changed.', data: peerInfo },
  peerLeft: {
    summary: 'A peer left the room, and with it all that it sent.',
    data: z.object({ peerId: idSchema }),
  },
  message: {
    summary: 'What a backend wants the application to know.',
    data: z.object({
      from: z.string().meta({ description: 'Who sends it.' }),
      data: z.unknown().meta({ description: 'What the application and its backend agree on.' }),
    }),
  },
  peerMessage: {
    summary:
      'Another peer has sent a message. While a socket is slow messages wait, and are sent when it has taken those before.',
    data: z.object({
      peerId: idSchema,
      ...message,
      sequence: z.int().nonnegative().meta({ description: "Counts the room's messages: `lastMessage` of `joinRoom`." }),
    }),
  },
  messagesMissed: {
    summary: 'Messages waited for this peer for so long that they are not kept any more.',
    data: z.object({
      count: z.int().positive().meta({ description: 'How many at most: some may have been for others.' }),
    }),
  },
  roomClosed: { summary: 'The room was closed; the socket follows.', data: z.object({ reason: z.string() }) },
  reconnect: {
    summary:
      'The client moves before `deadlineMs`: with the reason `worker` it joins again here, else it asks for a new assignment.',
    data: z.object({
      reason: z.enum(['worker', 'drain', 'fenced']).meta({
        description: 'A media worker died, or the daemon is ending, or another one serves the room now.',
      }),
      deadlineMs: z.int().nonnegative().meta({ description: 'Milliseconds until the socket is closed; 0: now.' }),
    }),
  },
  error: {
    summary: 'What went wrong with the connection, or with the notification `method` that the client sent.',
    data: z.object({
      code: z.int().meta({ description: 'One of the error codes.' }),
      reason: z.string().meta({ description: 'For people to read.' }),
      reasonCode: z.string().meta({ description: 'For programs to compare: `PEER_REPLACED`.' }),
      method: z.string().optional().meta({ description: 'Where a notification of the client failed: its method.' }),
    }),
  },
} as const;
export type Notification = keyof typeof notifications;
export type NotificationData<N extends Notification> = z.infer<(typeof notifications)[N]['data']>;
