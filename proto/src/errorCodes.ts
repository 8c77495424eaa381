/** The names of gRPC's statuses that errors are answered with. */
type GrpcStatus =
  | 'INVALID_ARGUMENT'
  | 'UNAUTHENTICATED'
  | 'PERMISSION_DENIED'
  | 'NOT_FOUND'
  | 'DEADLINE_EXCEEDED'
  | 'FAILED_PRECONDITION'
  | 'RESOURCE_EXHAUSTED'
  | 'UNIMPLEMENTED'
  | 'INTERNAL'
  | 'UNAVAILABLE';

type ErrorInfo = {
  /** The HTTP status, and the `errorCode` of a protoo answer. */
  readonly http: 400 | 401 | 403 | 404 | 405 | 408 | 409 | 413 | 415 | 422 | 429 | 500 | 503;
  readonly grpc: GrpcStatus;
  readonly meaning: string;
};

/**
 * Every error of both servers, by its string code, which programs compare. HTTP problems carry it as `code`; protoo's
 * `errorReason` and the details of a gRPC status begin with it (`PRODUCER_NOT_FOUND: ...`); `error` notifications carry it
 * as `reasonCode`.
 */
export const errorCodes = {
  INVALID_REQUEST: { http: 400, grpc: 'INVALID_ARGUMENT', meaning: 'The request is not valid' },

  UNAUTHORIZED: { http: 401, grpc: 'UNAUTHENTICATED', meaning: 'The credentials are missing or not valid' },

  FORBIDDEN: { http: 403, grpc: 'PERMISSION_DENIED', meaning: 'The token does not grant this' },
  PEER_REMOVED: { http: 403, grpc: 'PERMISSION_DENIED', meaning: 'A backend removed the peer from the room' },
  PRODUCER_MUTED: { http: 403, grpc: 'PERMISSION_DENIED', meaning: 'A backend paused the producer' },
  WRONG_CONNECTION: {
    http: 403,
    grpc: 'PERMISSION_DENIED',
    meaning: 'The roomId or the peerId is not the one of the connection',
  },

  NOT_FOUND: { http: 404, grpc: 'NOT_FOUND', meaning: 'There is no such resource' },
  METHOD_NOT_FOUND: { http: 404, grpc: 'UNIMPLEMENTED', meaning: 'There is no such signaling method' },
  ROOM_NOT_FOUND: { http: 404, grpc: 'NOT_FOUND', meaning: 'The room does not exist' },
  PEER_NOT_FOUND: { http: 404, grpc: 'NOT_FOUND', meaning: 'The room has no such peer' },
  TRANSPORT_NOT_FOUND: { http: 404, grpc: 'NOT_FOUND', meaning: 'The peer has no such transport' },
  PRODUCER_NOT_FOUND: { http: 404, grpc: 'NOT_FOUND', meaning: 'There is no such producer' },
  CONSUMER_NOT_FOUND: { http: 404, grpc: 'NOT_FOUND', meaning: 'The peer has no such consumer' },
  DATA_PRODUCER_NOT_FOUND: { http: 404, grpc: 'NOT_FOUND', meaning: 'There is no such data producer' },
  DATA_CONSUMER_NOT_FOUND: { http: 404, grpc: 'NOT_FOUND', meaning: 'The peer has no such data consumer' },
  ALREADY_CLOSED: { http: 404, grpc: 'NOT_FOUND', meaning: 'The object closed before the request was done' },

  METHOD_NOT_ALLOWED: { http: 405, grpc: 'UNIMPLEMENTED', meaning: 'The resource has no such method' },

  JOIN_TIMEOUT: { http: 408, grpc: 'DEADLINE_EXCEEDED', meaning: 'The client did not send joinRoom in time' },

  NOT_JOINED: { http: 409, grpc: 'FAILED_PRECONDITION', meaning: 'The peer has not joined; joinRoom comes first' },
  ALREADY_JOINED: { http: 409, grpc: 'FAILED_PRECONDITION', meaning: 'The peer has already joined' },
  CONNECTION_CLOSED: { http: 409, grpc: 'FAILED_PRECONDITION', meaning: 'The connection closed during the request' },
  PEER_LEFT: { http: 409, grpc: 'FAILED_PRECONDITION', meaning: 'The peer left during the request' },
  PEER_REPLACED: {
    http: 409,
    grpc: 'FAILED_PRECONDITION',
    meaning: 'The same peer joined over another connection, which replaces this one',
  },
  ROOM_CLOSED: { http: 409, grpc: 'FAILED_PRECONDITION', meaning: 'The room closed during the request' },
  ROOM_ELSEWHERE: { http: 409, grpc: 'FAILED_PRECONDITION', meaning: 'Another media daemon serves the room' },
  DAEMON_ID_TAKEN: { http: 409, grpc: 'FAILED_PRECONDITION', meaning: 'Another live daemon has this id' },
  DAEMON_NOT_REGISTERED: { http: 409, grpc: 'FAILED_PRECONDITION', meaning: 'The daemon is not registered' },
  INCARNATION_MISMATCH: {
    http: 409,
    grpc: 'FAILED_PRECONDITION',
    meaning: 'The token is for another incarnation of a media daemon',
  },
  TRANSPORT_EXISTS: {
    http: 409,
    grpc: 'FAILED_PRECONDITION',
    meaning: 'The peer already has a transport in this direction',
  },
  TRANSPORT_MISSING: {
    http: 409,
    grpc: 'FAILED_PRECONDITION',
    meaning: 'The peer has no transport in this direction; createWebRtcTransport comes first',
  },
  TRANSPORT_CONNECTED: { http: 409, grpc: 'FAILED_PRECONDITION', meaning: 'The transport is already connected' },
  WRONG_TRANSPORT: { http: 409, grpc: 'FAILED_PRECONDITION', meaning: 'The transport is not the send transport' },
  OWN_PRODUCER: { http: 409, grpc: 'FAILED_PRECONDITION', meaning: 'A peer does not consume its own producer' },
  NO_LAYERS: { http: 409, grpc: 'FAILED_PRECONDITION', meaning: 'The consumer has no layers to choose from' },
  STREAM_IN_USE: {
    http: 409,
    grpc: 'FAILED_PRECONDITION',
    meaning: 'The transport already receives this SSRC, MID, RID or SCTP stream',
  },
  MESSAGE_OUT_OF_ORDER: {
    http: 409,
    grpc: 'FAILED_PRECONDITION',
    meaning: 'The message before this one has not arrived; send that one first',
  },

  PAYLOAD_TOO_LARGE: { http: 413, grpc: 'RESOURCE_EXHAUSTED', meaning: 'The request body is too large' },

  UNSUPPORTED_MEDIA_TYPE: { http: 415, grpc: 'INVALID_ARGUMENT', meaning: 'The request body is not JSON' },

  CANNOT_CONSUME: {
    http: 422,
    grpc: 'INVALID_ARGUMENT',
    meaning: 'The given rtpCapabilities cannot receive this producer',
  },
  UNSUPPORTED_MEDIA: { http: 422, grpc: 'INVALID_ARGUMENT', meaning: 'The server cannot forward this media' },

  TOO_MANY_REQUESTS: {
    http: 429,
    grpc: 'RESOURCE_EXHAUSTED',
    meaning: 'Requests, messages or announcements come faster than a rate limit allows',
  },
  LIMIT_REACHED: {
    http: 429,
    grpc: 'RESOURCE_EXHAUSTED',
    meaning: 'The peer, the room or the daemon has as many of these as it may have',
  },

  INTERNAL: { http: 500, grpc: 'INTERNAL', meaning: 'The server failed; its log says why' },

  ROOM_FULL: { http: 503, grpc: 'RESOURCE_EXHAUSTED', meaning: 'The room takes no more peers' },
  NO_CAPACITY: { http: 503, grpc: 'UNAVAILABLE', meaning: 'No media daemon can take the peer now' },
  DRAINING: { http: 503, grpc: 'UNAVAILABLE', meaning: 'The media daemon is draining and takes no new peers' },
  FENCED: {
    http: 503,
    grpc: 'UNAVAILABLE',
    meaning: 'The control plane declared the media daemon lost; it is registering again',
  },
  WORKER_UNAVAILABLE: { http: 503, grpc: 'UNAVAILABLE', meaning: 'No media worker is running now' },
  WORKER_DIED: { http: 503, grpc: 'UNAVAILABLE', meaning: 'The media worker died during the request' },
  ASSIGNMENT_OUTDATED: {
    http: 503,
    grpc: 'UNAVAILABLE',
    meaning: 'The room closed or moved since the assignment; ask the control plane for another',
  },
  CONNECTION_CLOSING: { http: 503, grpc: 'UNAVAILABLE', meaning: 'The server is closing the connection' },
  UNAVAILABLE: { http: 503, grpc: 'UNAVAILABLE', meaning: 'The service is not available now' },
} as const satisfies Record<string, ErrorInfo>;

/** `ROOM_FULL` */
export type ErrorCode = keyof typeof errorCodes;

/** The code that an `errorReason` or the details of a gRPC status begin with. */
export function errorCodeOf(reason: string): ErrorCode | undefined {
  const code = /^([A-Z_]+): /.exec(reason)?.[1];
  return code !== undefined && Object.hasOwn(errorCodes, code) ? (code as ErrorCode) : undefined;
}
