import { z } from 'zod';

/**
 * mediasoup's RTP structures, checked to the leaf: mediasoup writes numbers into messages to its worker without looking
 * at their ranges, and one that it cannot write leaves the worker's channel unusable. Members that are not named here
 * are dropped, so that they reach nobody.
 */

const MEDIASOUP = 'As mediasoup defines it: https://mediasoup.org/documentation/v3/mediasoup/';

/** The most entries of each list of what is sent, and of what can be received. */
const MAX_SENT = 64;
const MAX_CAPABLE = 256;
/** The most characters of a parameter's value. */
const MAX_VALUE_LENGTH = 1024;

const uint8 = z.int().min(0).max(255);
const uint32 = z.int().min(0).max(0xffff_ffff);
const payloadType = z.int().min(0).max(127);
const text = (max: number) => z.string().max(max);

const mimeType = text(64).regex(/^(audio|video)\/.+/i, 'is not audio/... or video/...');
const parameters = z
  .record(
    text(64),
    z.union([text(MAX_VALUE_LENGTH), z.number().refine(isWritable, 'is an integer of more than 32 bits')]),
  )
  .refine((given) => Object.keys(given).length <= MAX_SENT, `has more than ${MAX_SENT} entries`);
const rtcpFeedback = z.array(z.object({ type: text(64), parameter: text(64).optional() })).max(MAX_SENT);
const codec = {
  mimeType,
  clockRate: uint32,
  channels: uint8.optional(),
  parameters: parameters.optional(),
  rtcpFeedback: rtcpFeedback.optional(),
};

/** The worker takes integers of 32 bits, and fractions of any size. */
function isWritable(value: number): boolean {
  return !Number.isInteger(value) || value === (value | 0);
}

const encoding = z.object({
  ssrc: uint32.optional(),
  rid: text(255).optional(),
  codecPayloadType: payloadType.optional(),
  rtx: z.object({ ssrc: uint32 }).optional(),
  dtx: z.boolean().optional(),
  scalabilityMode: text(32).optional(),
  maxBitrate: z.int().min(0).optional().meta({ description: 'Bits a second, an integer.' }),
});

export const rtpParameters = z
  .object({
    mid: text(32).optional(),
    codecs: z.array(z.object({ ...codec, payloadType })).max(MAX_SENT),
    headerExtensions: z
      .array(
        z.object({ uri: text(256), id: uint8, encrypt: z.boolean().optional(), parameters: parameters.optional() }),
      )
      .max(MAX_SENT)
      .optional(),
    encodings: z.array(encoding).max(MAX_SENT).optional(),
    rtcp: z
      .object({ cname: text(255).optional(), reducedSize: z.boolean().optional(), mux: z.boolean().optional() })
      .optional(),
    msid: text(512).optional(),
  })
  .meta({ id: 'RtpParameters', description: `${MEDIASOUP}rtp-parameters-and-capabilities/#RtpParameters` });

export const rtpCapabilities = z
  .object({
    codecs: z
      .array(
        z.object({
          ...codec,
          kind: z.enum(['audio', 'video']).optional(),
          preferredPayloadType: payloadType.optional(),
        }),
      )
      .max(MAX_CAPABLE)
      .optional(),
    headerExtensions: z
      .array(
        z.object({
          kind: z.enum(['audio', 'video']),
          uri: text(256),
          preferredId: uint8,
          preferredEncrypt: z.boolean().optional(),
          direction: z.enum(['sendrecv', 'sendonly', 'recvonly', 'inactive']).optional(),
        }),
      )
      .max(MAX_CAPABLE)
      .optional(),
  })
  .meta({
    id: 'RtpCapabilities',
    description: `${MEDIASOUP}rtp-parameters-and-capabilities/#RtpCapabilities`,
  });
