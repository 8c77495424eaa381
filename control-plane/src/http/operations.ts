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

/** A body: what a schema says, a message of `registry.proto` as protobuf JSON, or a JSON object of whatever form. */
export type Body = z.ZodObject | { readonly message: string } | 'object';

/** A method of a path, as the OpenAPI document tells of it. */
export type Operation = {
  readonly operationId: string;
  readonly tag: keyof typeof tags;
  readonly summary: string;
  /** Who may ask: everybody, whoever has an access token in mode `jwt`, or daemons with their key or secret. */
  readonly access: 'everybody' | 'accessToken' | 'daemonKey' | 'daemonSecret';
  readonly query?: z.ZodObject;
  readonly body?: Body;
  readonly status: 200 | 201 | 204;
  readonly answer: string;
  readonly content?: Body;
  readonly problems: readonly ProblemCode[];
};

export const tags = {
  rooms: 'What frontends use.',
  operators: 'What operators and backends use.',
  daemons: 'What media daemons use. Bodies are messages of proto/media/v1/registry.proto as protobuf JSON.',
  service: 'About the service itself.',
};

/** What any route may answer that reads the tables and counts its clients' requests. */
const usual = ['INVALID_REQUEST', 'TOO_MANY_REQUESTS', 'UNAVAILABLE'] as const;
/** What any route may answer that takes a body. */
const ofBody = ['PAYLOAD_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'] as const;

/** Every route of the API, by path and method. */
export const operations: Readonly<Record<string, Readonly<Record<string, Operation>>>> = {
  '/health': {
    get: {
      operationId: 'getHealth',
      tag: 'service',
      summary: 'Whether the process lives. It touches nothing else.',
      access: 'everybody',
      status: 200,
      answer: 'It lives.',
      content: healthSchema,
      problems: [],
    },
  },
  '/ready': {
    get: {
      operationId: 'getReadiness',
      tag: 'service',
      summary: 'Whether the tables can be read, so that assignments can be made.',
      access: 'everybody',
      status: 200,
      answer: 'They can.',
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
      summary: 'The RTP capabilities of a room that lives.',
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
      summary: 'Which daemon a peer connects to. Makes the room where there is none; asking again changes nothing.',
      access: 'accessToken',
      body: assignmentRequestSchema,
      status: 201,
      answer: 'The daemon, and the token that it lets the peer in with.',
      content: assignmentSchema,
      problems: [...usual, ...ofBody, 'NO_CAPACITY', 'ROOM_FULL'],
    },
  },
  '/rooms/{roomId}/instances': {
    get: {
      operationId: 'listInstances',
      tag: 'operators',
      summary: 'Where a room is, and how to reach the daemons that have it.',
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
      summary: 'A token for gRPC commands to the media daemons, which lives for a quarter of an hour.',
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
      summary: 'A page of the rooms that have an instance, in no order that means anything.',
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
      summary: 'A page of the media daemons of all regions, in no order that means anything.',
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
      summary: 'Takes a daemon out of the directory; once it is out, asking again changes nothing.',
      access: 'daemonSecret',
      status: 204,
      answer: 'It is out.',
      problems: usual,
    },
  },
  '/daemons/{daemonId}/registrations': {
    post: {
      operationId: 'register',
      tag: 'daemons',
      summary: 'Enters a daemon into the directory.',
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
      summary: 'Says how the daemon is and which rooms it has closed.',
      access: 'daemonSecret',
      body: { message: 'HeartbeatRequest' },
      status: 200,
      answer: 'What has become of the daemon; acknowledges the closed rooms.',
      content: { message: 'HeartbeatResponse' },
      problems: [...usual, ...ofBody, 'DAEMON_NOT_REGISTERED'],
    },
  },
  '/daemons/{daemonId}/rooms': {
    post: {
      operationId: 'reportRooms',
      tag: 'daemons',
      summary: 'Reports at most 100 rooms that are open on the daemon, so that their records are there and last.',
      access: 'daemonSecret',
      body: { message: 'ReportRoomsRequest' },
      status: 200,
      answer: 'Which of them are recorded as its own, and which live elsewhere.',
      content: { message: 'ReportRoomsResponse' },
      problems: [...usual, ...ofBody, 'DAEMON_NOT_REGISTERED'],
    },
  },
  '/daemons/{daemonId}/rooms/{roomId}': {
    put: {
      operationId: 'claimRoom',
      tag: 'daemons',
      summary: 'Claims a room for the daemon, unless another one has it.',
      access: 'daemonSecret',
      body: { message: 'ClaimRoomRequest' },
      status: 200,
      answer: 'Which daemon has the room.',
      content: { message: 'ClaimRoomResponse' },
      problems: [...usual, ...ofBody, 'DAEMON_NOT_REGISTERED'],
    },
  },
};
