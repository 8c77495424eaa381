import { z } from 'zod';
import { idSchema } from '../ids.ts';
import { MAX_MESSAGE_BYTES } from './protoo.ts';

/** The shapes that requests and notifications share. */

export const kind = z.enum(['audio', 'video']).meta({ description: 'What the track is.' });
export const direction = z.enum(['send', 'recv']);

/** An id that the server created: of a transport, a producer or a consumer. */
export const serverId = z.string().min(1).max(128);

/** The maximum length of `appData`, as JSON in UTF-16 units. */
const MAX_APP_DATA_LENGTH = 16_384;
const textEncoder = new TextEncoder();

/** The data of `sendMessage`. */
export const message = {
  data: z
    .string()
    .max(MAX_MESSAGE_BYTES)
    .refine(
      (data) => data.length > MAX_MESSAGE_BYTES || textEncoder.encode(JSON.stringify(data)).length <= MAX_MESSAGE_BYTES,
      `is longer than ${MAX_MESSAGE_BYTES} bytes of JSON`,
    )
    .meta({ description: `Text, or bytes in base64: at most ${MAX_MESSAGE_BYTES} bytes of JSON.` }),
  encoding: z.literal('base64').optional().meta({ description: 'Says that `data` is bytes.' }),
  topic: z.string().max(128).optional().meta({ description: 'What it is about; at most 128 characters.' }),
  senderId: z
    .string()
    .min(1)
    .max(64)
    .meta({ description: 'What the sender numbers its messages under, chosen anew each time that it counts from 0.' }),
  number: z.int().nonnegative().meta({ description: 'Tells the messages of a `senderId` apart; each is greater.' }),
};

/** The maximum nesting of that data, so that no JSON serializer overflows its stack. */
const MAX_APP_DATA_DEPTH = 32;

/** `appData` of a peer or a producer. The server forwards it without reading it. */
export const appData = z
  .record(z.string(), z.unknown())
  .refine((data) => isShallow(data, MAX_APP_DATA_DEPTH), `is nested more than ${MAX_APP_DATA_DEPTH} deep`)
  .refine(
    (data) => !isShallow(data, MAX_APP_DATA_DEPTH) || JSON.stringify(data).length <= MAX_APP_DATA_LENGTH,
    `is longer than ${MAX_APP_DATA_LENGTH} characters of JSON`,
  )
  .meta({
    description: `What the application attached, handed on unread: at most ${MAX_APP_DATA_LENGTH} characters of JSON, ${MAX_APP_DATA_DEPTH} deep.`,
  });

function isShallow(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return depth > 0 && Object.values(value).every((member) => isShallow(member, depth - 1));
}

const MEDIASOUP = 'As mediasoup defines it: https://mediasoup.org/documentation/v3/mediasoup/';

/** Bytes of a certificate's fingerprint by hash function, RFC 8122. */
const FINGERPRINT_BYTES = { 'sha-1': 20, 'sha-224': 28, 'sha-256': 32, 'sha-384': 48, 'sha-512': 64 };
type FingerprintAlgorithm = keyof typeof FINGERPRINT_BYTES;
const fingerprint = z
  .strictObject({
    algorithm: z.enum(Object.keys(FINGERPRINT_BYTES) as [FingerprintAlgorithm, ...FingerprintAlgorithm[]]),
    value: z
      .string()
      .max(191)
      .regex(/^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2})+$/, 'is not bytes in hexadecimal with colons between')
      // The worker compares it with upper case.
      .toUpperCase(),
  })
  .refine(({ algorithm, value }) => (value.length + 1) / 3 === FINGERPRINT_BYTES[algorithm], {
    path: ['value'],
    message: 'is not as long as the algorithm makes it',
  });
export const dtlsParameters = z
  .strictObject({
    role: z.enum(['auto', 'client', 'server']).optional(),
    fingerprints: z.array(fingerprint).min(1).max(8),
  })
  .meta({ id: 'DtlsParameters', description: `${MEDIASOUP}api/#WebRtcTransportDtlsParameters` });
export const sctpStreamParameters = z
  .object({
    streamId: z.int().min(0).max(65_534),
    ordered: z.boolean().optional().meta({ description: 'Messages arrive in order and all of them; true by default.' }),
    maxPacketLifeTime: z
      .int()
      .min(0)
      .max(65_535)
      .optional()
      .meta({ description: 'Milliseconds after which an unordered message is given up.' }),
    maxRetransmits: z
      .int()
      .min(0)
      .max(65_535)
      .optional()
      .meta({ description: 'Tries after which an unordered message is given up.' }),
  })
  .meta({
    id: 'SctpStreamParameters',
    description: `How a data channel sends. ${MEDIASOUP}sctp-parameters/#SctpStreamParameters`,
  });

/** What a client makes its side of a transport with. */
export const transportOptions = z
  .object({
    transportId: serverId.meta({ description: "The `id` of mediasoup-client's options." }),
    iceParameters: z.looseObject({ usernameFragment: z.string(), password: z.string() }),
    iceCandidates: z.array(z.looseObject({})).meta({ description: 'Where the client sends its media to.' }),
    dtlsParameters: z
      .looseObject({ fingerprints: z.array(z.looseObject({})) })
      .meta({ description: "The server's side of DTLS." }),
    sctpParameters: z
      .looseObject({ port: z.int(), maxMessageSize: z.int() })
      .optional()
      .meta({ description: 'Of data channels.' }),
  })
  .meta({
    id: 'TransportOptions',
    description:
      "What a client makes its side of a transport with: the options of mediasoup-client's `createSendTransport` and `createRecvTransport`.",
  });
export type TransportOptions = z.infer<typeof transportOptions>;

export const peerInfo = z.object({ peerId: idSchema, appData }).meta({ id: 'PeerInfo', description: 'Another peer.' });

/** A producer as the other peers see it. */
export const producerInfo = z
  .object({
    producerId: serverId.meta({ description: 'What `consume` takes.' }),
    kind,
    peerId: idSchema.meta({ description: 'Who sends it.' }),
    appData,
    paused: z.boolean().meta({ description: 'Whether its owner has paused it.' }),
  })
  .meta({ id: 'ProducerInfo', description: 'A track that another peer sends.' });

/** A data producer as the other peers see it. */
export const dataProducerInfo = z
  .object({
    dataProducerId: serverId.meta({ description: 'What `consumeData` takes.' }),
    peerId: idSchema.meta({ description: 'Who sends on it.' }),
    label: z.string(),
    protocol: z.string(),
    appData,
  })
  .meta({ id: 'DataProducerInfo', description: 'A data channel that another peer sends on.' });

export const layers = z.object({
  spatialLayer: z.int().min(0).max(7).meta({ description: 'The best resolution: 0 is the least.' }),
  temporalLayer: z
    .int()
    .min(0)
    .max(7)
    .optional()
    .meta({ description: 'The best frame rate: 0 is the least; the best that there is by default.' }),
});

/** Who is heard in a room. */
export const audioLevels = z
  .array(
    z.object({
      peerId: idSchema,
      volume: z.int().min(-127).max(0).meta({ description: 'dBov; 0 is the loudest.' }),
    }),
  )
  .meta({ description: 'The loudest first; empty while nobody is heard.' });

export const spatialLayerWanted = z.int().min(-1).meta({
  description:
    'Of a video producer, the highest resolution that any peer wants; 0 is the least, -1: no peer receives it.',
});

/**
 * Everything that a resumed session has: what its client compares with what it knows, since nothing was told to it
 * while it had no socket.
 */
export const snapshot = z
  .object({
    transports: z.array(
      transportOptions.extend({
        direction,
        connected: z.boolean().meta({ description: 'Whether `connectWebRtcTransport` was done.' }),
      }),
    ),
    ownProducers: z.array(
      z.object({
        producerId: serverId,
        transportId: serverId,
        mid: z.string().optional().meta({ description: 'That of the `rtpParameters` it was produced with.' }),
        kind,
        appData,
        paused: z.boolean(),
        spatialLayerWanted: spatialLayerWanted.optional(),
      }),
    ),
    ownDataProducers: z.array(
      z.object({ dataProducerId: serverId, transportId: serverId, streamId: z.int().optional(), label: z.string() }),
    ),
    producers: z.array(producerInfo).meta({ description: "The others' tracks." }),
    dataProducers: z.array(dataProducerInfo).meta({ description: "The others' data channels." }),
    consumers: z.array(
      z.object({
        consumerId: serverId,
        producerId: serverId,
        paused: z.boolean().meta({ description: 'Whether the peer itself has paused it.' }),
        producerPaused: z.boolean().meta({ description: 'Whether the owner of its producer has.' }),
      }),
    ),
    dataConsumers: z.array(z.object({ dataConsumerId: serverId, dataProducerId: serverId })),
    activeSpeaker: idSchema.nullable().meta({ description: 'Who speaks, null while nobody does.' }),
    audioLevels,
  })
  .meta({
    id: 'Snapshot',
    description: 'Everything that a peer has and sees when its session goes on over another WebSocket.',
  });
export type Snapshot = z.infer<typeof snapshot>;
