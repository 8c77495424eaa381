import {
  assignmentRequestSchema,
  assignmentSchema,
  commandTokenRequestSchema,
  commandTokenSchema,
  daemonListSchema,
  healthSchema,
  jwksSchema,
  type ProblemCode,
  pageQuerySchema,
  readySchema,
  roomInstancesSchema,
  roomListSchema,
  rtpCapabilitiesSchema,
} from '@mediasoup-server/proto/http';
import type { z } from 'zod';

/** A body: of a schema, a message of `registry.proto` as protobuf JSON, or any JSON object. */
export type Body = z.ZodObject | { readonly message: string } | 'object';

/** A method of a path, as the OpenAPI document describes it. */
export type Operation = {
  readonly operationId: string;
  readonly tag: keyof typeof tags;
  readonly summary: string;
  /** Who may call it: everybody, callers with an access token in mode `jwt`, or daemons with their key or secret. */
  readonly access: 'everybody' | 'accessToken' | 'daemonKey' | 'daemonSecret';
  readonly query?: z.ZodObject;
  readonly body?: Body;
  readonly status: 200 | 201 | 204;
  readonly answer: string;
  readonly content?: Body;
  readonly problems: readonly ProblemCode[];
};

export const tags = {
  rooms: 'For frontends.',
  operators: 'For operators and backends.',
  daemons: 'For media daemons. Bodies are messages of proto/media/v1/registry.proto as protobuf JSON.',
  service: 'About the service itself.',
};

/** The problems of every route that reads the tables and is rate-limited. */
const usual = ['INVALID_REQUEST', 'TOO_MANY_REQUESTS', 'UNAVAILABLE'] as const;
/** The problems of every route with a body. */
const ofBody = ['PAYLOAD_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'] as const;

/** Every route of the API, by path and method. */
export const operations: Readonly<Record<string, Readonly<Record<string, Operation>>>> = {
  '/health': {
    get: {
      operationId: 'getHealth',
      tag: 'service',
      summary: 'Whether the process is alive. It reads nothing.',
      access: 'everybody',
      status: 200,
      answer: 'It is alive.',
      content: healthSchema,
      problems: [],
    },
  },
  '/ready': {
    get: {
      operationId: 'getReadiness',
      tag: 'service',
      summary: 'Whether the tables can be read, which assignments need.',
      access: 'everybody',
      status: 200,
      answer: 'They can be read.',
      content: readySchema,
      problems: ['UNAVAILABLE'],
    },
  },
  '/openapi.json': {
    get: {
      operationId: 'getDescription',
      tag: 'service',
      summary: 'This document.',
      access: 'everybody',
      status: 200,
      answer: 'The document.',
      content: 'object',
      problems: [],
    },
  },
  '/.well-known/jwks.json': {
    get: {
      operationId: 'getKeys',
      tag: 'service',
      summary: 'The public keys of the assignment tokens.',
      access: 'everybody',
      status: 200,
      answer: 'A JSON Web Key Set (RFC 7517, section 5).',
      content: jwksSchema,
      problems: [],
    },
  },
  '/rooms/{roomId}': {
    get: {
      operationId: 'getRoom',
      tag: 'rooms',
      summary: 'The RTP capabilities of a live room.',
      access: 'accessToken',
      status: 200,
      answer: "mediasoup's RtpCapabilities of the room's router.",
      content: rtpCapabilitiesSchema,
      problems: [...usual, 'ROOM_NOT_FOUND'],
    },
  },
  '/rooms/{roomId}/assignments': {
    post: {
      operationId: 'assignPeer',
      tag: 'rooms',
      summary:
        'Decides which daemon a peer connects to. Creates the room if it does not exist; calling it again changes nothing.',
      access: 'accessToken',
      body: assignmentRequestSchema,
      status: 201,
      answer: 'The daemon, and the token that admits the peer there.',
      content: assignmentSchema,
      problems: [...usual, ...ofBody, 'NO_CAPACITY', 'ROOM_FULL'],
    },
  },
  '/rooms/{roomId}/instances': {
    get: {
      operationId: 'listInstances',
      tag: 'operators',
      summary: 'The daemons that have a room, and how to reach them.',
      access: 'accessToken',
      status: 200,
      answer: 'The room, its instances and their daemons.',
      content: roomInstancesSchema,
      problems: [...usual, 'ROOM_NOT_FOUND'],
    },
  },
  '/command-tokens': {
    post: {
      operationId: 'issueCommandToken',
      tag: 'operators',
      summary: 'Issues a token for gRPC commands to the media daemons, valid for a quarter of an hour.',
      access: 'accessToken',
      body: commandTokenRequestSchema,
      status: 201,
      answer: 'The token.',
      content: commandTokenSchema,
      problems: [...usual, ...ofBody],
    },
  },
  '/rooms': {
    get: {
      operationId: 'listRooms',
      tag: 'operators',
      summary: 'A page of the rooms that have an instance, in no particular order.',
      access: 'accessToken',
      query: pageQuerySchema,
      status: 200,
      answer: 'A page, with a cursor unless it is the last.',
      content: roomListSchema,
      problems: usual,
    },
  },
  '/daemons': {
    get: {
      operationId: 'listDaemons',
      tag: 'operators',
      summary: 'A page of the media daemons of all regions, in no particular order.',
      access: 'accessToken',
      query: pageQuerySchema,
      status: 200,
      answer: 'A page, with a cursor unless it is the last.',
      content: daemonListSchema,
      problems: usual,
    },
  },
  '/daemons/{daemonId}': {
    delete: {
      operationId: 'deregister',
      tag: 'daemons',
      summary: 'Removes a daemon from the directory; calling it again changes nothing.',
      access: 'daemonSecret',
      status: 204,
      answer: 'It is removed.',
      problems: usual,
    },
  },
  '/daemons/{daemonId}/registrations': {
    post: {
      operationId: 'register',
      tag: 'daemons',
      summary: 'Registers a daemon in the directory.',
      access: 'daemonKey',
      body: { message: 'RegisterRequest' },
      status: 201,
      answer: 'The secret of this incarnation, and the public keys.',
      content: { message: 'RegisterResponse' },
      problems: [...usual, ...ofBody, 'DAEMON_ID_TAKEN'],
    },
  },
  '/daemons/{daemonId}/heartbeats': {
    post: {
      operationId: 'sendHeartbeat',
      tag: 'daemons',
      summary: 'Reports the state and load of a daemon, and the rooms that it has closed.',
      access: 'daemonSecret',
      body: { message: 'HeartbeatRequest' },
      status: 200,
      answer: 'Whether the daemon is fenced or superseded; acknowledges the closed rooms.',
      content: { message: 'HeartbeatResponse' },
      problems: [...usual, ...ofBody, 'DAEMON_NOT_REGISTERED'],
    },
  },
  '/daemons/{daemonId}/rooms': {
    post: {
      operationId: 'reportRooms',
      tag: 'daemons',
      summary: 'Reports up to 100 rooms that are open on the daemon, which creates or renews their records.',
      access: 'daemonSecret',
      body: { message: 'ReportRoomsRequest' },
      status: 200,
      answer: 'The rooms that are recorded as its own, and those that are on other daemons.',
      content: { message: 'ReportRoomsResponse' },
      problems: [...usual, ...ofBody, 'DAEMON_NOT_REGISTERED'],
    },
  },
  '/daemons/{daemonId}/rooms/{roomId}': {
    put: {
      operationId: 'claimRoom',
      tag: 'daemons',
      summary: 'Claims a room for the daemon, unless another daemon has it.',
      access: 'daemonSecret',
      body: { message: 'ClaimRoomRequest' },
      status: 200,
      answer: 'The daemon that has the room.',
      content: { message: 'ClaimRoomResponse' },
      problems: [...usual, ...ofBody, 'DAEMON_NOT_REGISTERED'],
    },
  },
};
