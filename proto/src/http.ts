import { z } from 'zod';
import { idSchema } from './ids.ts';

/** `GET /health`: 200 while the process lives. */
export const healthSchema = z.strictObject({ message: z.literal('ok') });

/** mediasoup's RtpCapabilities: the answer of `GET /rooms/:roomId`. Members are mediasoup's own and not checked again. */
export const rtpCapabilitiesSchema = z.object({
  codecs: z.array(z.looseObject({ kind: z.enum(['audio', 'video']), mimeType: z.string() })),
  headerExtensions: z.array(z.looseObject({ uri: z.string() })),
});
export type RoomRtpCapabilities = z.infer<typeof rtpCapabilitiesSchema>;

/** An ICE server as the browser's RTCPeerConnection takes it. */
export const iceServerSchema = z.object({
  urls: z.union([z.string(), z.array(z.string())]),
  username: z.string().optional(),
  credential: z.string().optional(),
});

/** The body of `POST /rooms/:roomId/assignments`. */
export const assignmentRequestSchema = z.strictObject({
  peerId: idSchema,
  region: idSchema.optional().meta({ description: 'Where the peer is; a hint for placement.' }),
  failedDaemonId: idSchema.optional().meta({ description: 'The daemon that the peer could not reach.' }),
});
export type AssignmentRequest = z.infer<typeof assignmentRequestSchema>;

/** The answer of `POST /rooms/:roomId/assignments`: which daemon the peer connects to. */
export const assignmentSchema = z.object({
  roomId: idSchema,
  peerId: idSchema,
  daemonId: idSchema,
  epoch: z.int().positive(),
  url: z.string().meta({ description: 'The complete WebSocket URL, with roomId, peerId and token.' }),
  token: z.string().meta({ description: 'The signed assignment token (JWT, EdDSA).' }),
  expiresAt: z.iso.datetime().meta({ description: 'When the token expires.' }),
  iceServers: z.array(iceServerSchema),
  retryAfterMs: z.int().nonnegative().optional(),
});
export type Assignment = z.infer<typeof assignmentSchema>;

/** Every code that a problem answer carries, with its HTTP status. */
export const problems = {
  INVALID_REQUEST: { status: 400, title: 'The request is not valid' },
  UNAUTHORIZED: { status: 401, title: 'The credentials are missing or not valid' },
  NOT_FOUND: { status: 404, title: 'There is no such resource' },
  ROOM_NOT_FOUND: { status: 404, title: 'The room does not exist' },
  METHOD_NOT_ALLOWED: { status: 405, title: 'The resource has no such method' },
  DAEMON_ID_TAKEN: { status: 409, title: 'Another live daemon has this id' },
  DAEMON_NOT_REGISTERED: { status: 409, title: 'The daemon is not registered' },
  PAYLOAD_TOO_LARGE: { status: 413, title: 'The request body is too large' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, title: 'The request body is not JSON' },
  INTERNAL: { status: 500, title: 'Something went wrong here' },
  NO_CAPACITY: { status: 503, title: 'No media daemon can take the room now' },
  ROOM_FULL: { status: 503, title: 'The room takes no more peers' },
  UNAVAILABLE: { status: 503, title: 'The service is not available now' },
} as const satisfies Record<string, { status: number; title: string }>;
export type ProblemCode = keyof typeof problems;

/** RFC 9457 `application/problem+json`: the body of every error answer. */
export const problemSchema = z.object({
  type: z.literal('about:blank'),
  title: z.string(),
  status: z.int(),
  code: z.enum(Object.keys(problems) as [ProblemCode, ...ProblemCode[]]),
  detail: z.string().optional(),
});
export type Problem = z.infer<typeof problemSchema>;
