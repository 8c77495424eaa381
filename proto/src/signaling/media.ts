import { z } from 'zod';
import { idSchema } from '../ids.ts';

/** The shapes that requests and notifications share. */

export const kind = z.enum(['audio', 'video']).meta({ description: 'What the track is.' });
export const direction = z.enum(['send', 'recv']);

/** An id that the server made: of a transport, a producer, a consumer. */
export const serverId = z.string().min(1).max(128);

/** The most that an application may attach to a peer or a producer, as JSON in UTF-16 units. */
const MAX_APP_DATA_LENGTH = 16_384;
/** How deep that may be nested, so that no JSON writer runs out of stack on it. */
const MAX_APP_DATA_DEPTH = 32;

/** What an application attaches to a peer or a producer; the server hands it on unread. */
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

/**
 * mediasoup's own structures: only their outline is checked here, since mediasoup checks what is inside and says
 * what is wrong with it.
 */
export const rtpParameters = z
  .looseObject({ mid: z.string().max(32).optional(), codecs: z.array(z.looseObject({})) })
  .meta({ description: "mediasoup's RtpParameters." });
export const rtpCapabilities = z
  .looseObject({
    codecs: z.array(z.looseObject({})).optional(),
    headerExtensions: z.array(z.looseObject({})).optional(),
  })
  .meta({ description: "mediasoup's RtpCapabilities." });
export const dtlsParameters = z
  .strictObject({
    role: z.enum(['auto', 'client', 'server']).optional(),
    fingerprints: z
      .array(z.strictObject({ algorithm: z.string().max(16), value: z.string().min(1).max(256) }))
      .min(1)
      .max(8),
  })
  .meta({ description: "mediasoup's DtlsParameters." });
export const sctpStreamParameters = z
  .object({
    streamId: z.int().min(0).max(65_534),
    ordered: z.boolean().optional(),
    maxPacketLifeTime: z.int().min(0).max(65_535).optional(),
    maxRetransmits: z.int().min(0).max(65_535).optional(),
  })
  .meta({
    description: 'How the data channel sends; unordered ones may bound the life or the retransmits of a message.',
  });

/** What a client makes its side of a transport with. */
export const transportOptions = z.object({
  transportId: serverId,
  iceParameters: z.looseObject({ usernameFragment: z.string(), password: z.string() }),
  iceCandidates: z.array(z.looseObject({})),
  dtlsParameters: z.looseObject({ fingerprints: z.array(z.looseObject({})) }),
  sctpParameters: z.looseObject({ port: z.int(), maxMessageSize: z.int() }).optional(),
});
export type TransportOptions = z.infer<typeof transportOptions>;

export const peerInfo = z.object({ peerId: idSchema, appData });

/** A producer as the other peers see it. */
export const producerInfo = z.object({ producerId: serverId, kind, peerId: idSchema, appData, paused: z.boolean() });

/** A data producer as the other peers see it. */
export const dataProducerInfo = z.object({
  dataProducerId: serverId,
  peerId: idSchema,
  label: z.string(),
  protocol: z.string(),
  appData,
});

export const layers = z.object({
  spatialLayer: z.int().min(0).max(7),
  temporalLayer: z.int().min(0).max(7).optional(),
});

/**
 * Everything that a resumed session has: what its client compares with what it knows, since nothing was told to it
 * while it had no socket.
 */
export const snapshot = z.object({
  transports: z.array(transportOptions.extend({ direction, connected: z.boolean() })),
  ownProducers: z.array(
    z.object({
      producerId: serverId,
      transportId: serverId,
      mid: z.string().optional(),
      kind,
      appData,
      paused: z.boolean(),
    }),
  ),
  ownDataProducers: z.array(
    z.object({ dataProducerId: serverId, transportId: serverId, streamId: z.int().optional(), label: z.string() }),
  ),
  producers: z.array(producerInfo),
  dataProducers: z.array(dataProducerInfo),
  consumers: z.array(
    z.object({ consumerId: serverId, producerId: serverId, paused: z.boolean(), producerPaused: z.boolean() }),
  ),
  dataConsumers: z.array(z.object({ dataConsumerId: serverId, dataProducerId: serverId })),
  activeSpeaker: idSchema.nullable(),
});
export type Snapshot = z.infer<typeof snapshot>;
