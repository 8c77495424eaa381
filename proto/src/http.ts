import { z } from 'zod';
import type { ErrorCode } from './errorCodes.ts';
import { ALL_ROOMS, idSchema } from './ids.ts';

/** `GET /health`: 200 while the process lives. */
export const healthSchema = z.strictObject({ message: z.literal('ok') });

/** `GET /ready`: 200 when the tables can be read. */
export const readySchema = z.strictObject({ message: z.literal('ready') });

/** `GET /.well-known/jwks.json`: the assignment tokens' public keys (RFC 7517, RFC 8037). */
export const jwksSchema = z.object({
  keys: z.array(
    z.object({
      kty: z.literal('OKP'),
      crv: z.literal('Ed25519'),
      x: z.string(),
      kid: z.string(),
      alg: z.literal('EdDSA'),
      use: z.literal('sig'),
    }),
  ),
});

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

/** The most items of a page. */
const MAX_PAGE = 1000;

/** The query of every list: `?limit=..&cursor=..`. */
export const pageQuerySchema = z.strictObject({
  limit: z.coerce
    .number<string>('is not a number')
    .pipe(z.int('is not a whole number').min(1, 'is less than 1').max(MAX_PAGE, `is more than ${MAX_PAGE}`))
    .default(100)
    .meta({ description: 'The most items that the page has.' }),
  cursor: z
    .string()
    .max(4096, 'is longer than 4096 characters')
    .optional()
    .meta({ description: 'Where the page begins: what the page before it answered.' }),
});

/** In every page but the last. A page may have fewer items than requested, even none, without being the last. */
const cursorSchema = z.string().optional().meta({
  description: 'There is more: asks for the next page. A page without it is the last, however short others are.',
});

/** How a daemon's mediasoup workers batch packets. */
export const batchingSchema = z.object({
  workers: z.number(),
  batchingWorkers: z.number().meta({
    description: 'Those that send in one call what a turn of their loop has; the others send each packet on its own.',
  }),
  packetsPerMessage: z.number().meta({ description: 'Since these workers started; 0 while none was sent.' }),
  refusedMessages: z.number().meta({ description: 'Messages that the kernel refused.' }),
});

/** A media daemon in the answer of `GET /daemons`. */
export const daemonInfoSchema = z.object({
  daemonId: idSchema,
  incarnation: z.string().meta({ description: 'This run of the daemon.' }),
  state: z
    .enum(['ready', 'draining', 'lost'])
    .meta({ description: '`lost`: declared dead, so that its rooms may live elsewhere.' }),
  region: z.string(),
  zone: z.string(),
  url: z.string().meta({ description: 'Where frontends connect, without a path.' }),
  grpcAddress: z.string().meta({ description: 'Where commands are sent, as `host:port`.' }),
  version: z.string(),
  load: z.object({
    rooms: z.number(),
    peers: z.number(),
    producers: z.number(),
    consumers: z.number(),
    workerCpu: z.number().meta({ description: '0 to 1 of a core, of the busiest mediasoup worker.' }),
    eventLoopDelayMs: z.number(),
    network: z.number().meta({ description: '0 to 1 of what its network carries.' }),
    batching: batchingSchema.optional().meta({ description: 'Missing while no heartbeat has told it.' }),
  }),
  headroom: z.number().meta({ description: 'How many more peers it takes.' }),
  heartbeatAt: z.iso.datetime().meta({ description: 'When the last heartbeat came.' }),
});
export type DaemonInfo = z.infer<typeof daemonInfoSchema>;

/** The answer of `GET /daemons`. */
export const daemonListSchema = z.object({ daemons: z.array(daemonInfoSchema), cursor: cursorSchema });
export type DaemonList = z.infer<typeof daemonListSchema>;

/** A room in the answer of `GET /rooms`. */
export const roomInfoSchema = z.object({
  roomId: idSchema,
  epoch: z.int().positive().meta({ description: "Raised by every change of the room's instances." }),
  instances: z.array(z.object({ daemonId: idSchema, incarnation: z.string() })),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime().meta({ description: 'When the instances changed last.' }),
});
export type RoomInfo = z.infer<typeof roomInfoSchema>;

/** The answer of `GET /rooms`. */
export const roomListSchema = z.object({ rooms: z.array(roomInfoSchema), cursor: cursorSchema });
export type RoomList = z.infer<typeof roomListSchema>;

/** The answer of `GET /rooms/:roomId/instances`: the daemons that serve the room, and how to reach them. */
export const roomInstancesSchema = z.object({
  ...roomInfoSchema.shape,
  instances: z.array(
    z.object({
      daemonId: idSchema,
      incarnation: z.string(),
      daemon: daemonInfoSchema.optional().meta({ description: 'Missing when that incarnation is gone.' }),
    }),
  ),
});
export type RoomInstances = z.infer<typeof roomInstancesSchema>;

export { ALL_ROOMS };

/** The scopes of a command token: read, change rooms and peers, drain the daemon. */
export const commandScopes = ['rooms:read', 'rooms:write', 'daemon:drain'] as const;
export type CommandScope = (typeof commandScopes)[number];

/** The body of `POST /command-tokens`. */
export const commandTokenRequestSchema = z.strictObject({
  roomId: z
    .union([z.literal(ALL_ROOMS), idSchema])
    .default(ALL_ROOMS)
    .meta({ description: 'The one room that the token is for; all of them by default.' }),
  scopes: z
    .array(z.enum(commandScopes))
    .default([...commandScopes])
    .meta({ description: 'What it allows; everything by default.' }),
});

/** The answer of `POST /command-tokens`. */
export const commandTokenSchema = z.object({
  token: z.string().meta({ description: 'Goes with gRPC calls, as the metadata `authorization: Bearer ..`.' }),
  expiresAt: z.iso.datetime(),
});
export type CommandToken = z.infer<typeof commandTokenSchema>;

/** The codes of the catalogue that HTTP problems carry. */
export const problemCodes = [
  'INVALID_REQUEST',
  'UNAUTHORIZED',
  'FORBIDDEN',
  'NOT_FOUND',
  'ROOM_NOT_FOUND',
  'METHOD_NOT_ALLOWED',
  'DAEMON_ID_TAKEN',
  'DAEMON_NOT_REGISTERED',
  'PAYLOAD_TOO_LARGE',
  'UNSUPPORTED_MEDIA_TYPE',
  'TOO_MANY_REQUESTS',
  'INTERNAL',
  'NO_CAPACITY',
  'ROOM_FULL',
  'UNAVAILABLE',
] as const satisfies readonly ErrorCode[];
export type ProblemCode = (typeof problemCodes)[number];

/** RFC 9457 `application/problem+json`: the body of every error answer. */
export const problemSchema = z.object({
  type: z.literal('about:blank'),
  title: z.string(),
  status: z.int(),
  code: z.enum(problemCodes),
  detail: z.string().optional(),
});
export type Problem = z.infer<typeof problemSchema>;
