import type { Problem, ProblemCode } from '@mediasoup-server/proto/http';

/** The errors of a room, and whether a retry may succeed. */
const catalogue = {
  /** The control plane did not answer, or a proxy answered in its place. */
  CONTROL_PLANE_UNREACHABLE: { retryable: true },
  /** The room is full. */
  ROOM_FULL: { retryable: true },
  /** No media daemon can take the room now. */
  NO_CAPACITY: { retryable: true },
  /** The control plane or the daemon is not available now, or a rate limit was reached. */
  UNAVAILABLE: { retryable: true },
  /** The media daemon's WebSocket could not be opened. */
  DAEMON_UNREACHABLE: { retryable: true },
  /** The WebSocket was lost or went silent. */
  CONNECTION_LOST: { retryable: true },
  /** ICE or DTLS failed: no media flows. */
  TRANSPORT_FAILED: { retryable: true },
  /** The daemon asked the peer to move. */
  MOVED: { retryable: true },
  /** The server failed. */
  INTERNAL: { retryable: true },
  /** The request is not valid, for example because of a bad id. */
  INVALID_REQUEST: { retryable: false },
  /** The room or the daemon refuses this peer for good; the message says why. */
  REFUSED: { retryable: false },
  /** The room was closed for good. */
  ROOM_CLOSED: { retryable: false },
  /** This browser lacks what WebRTC with mediasoup needs. */
  UNSUPPORTED_BROWSER: { retryable: false },
} as const satisfies Record<string, { retryable: boolean }>;

export type RoomErrorCode = keyof typeof catalogue;

interface RoomErrorOptions {
  readonly cause?: unknown;
  /** The HTTP status or the protoo `errorCode` that the server gave. */
  readonly status?: number | undefined;
  /** How long to wait before the next attempt, as the server asked, ms. */
  readonly retryAfterMs?: number | undefined;
}

/** The error of all rejections and states of this SDK. */
export class RoomError extends Error {
  override readonly name = 'RoomError';
  readonly code: RoomErrorCode;
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(code: RoomErrorCode, message: string, options: RoomErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.status = options.status;
    this.retryAfterMs = options.retryAfterMs;
  }

  /** Whether the same attempt may succeed later. */
  get retryable(): boolean {
    return catalogue[this.code].retryable;
  }

  /** Wraps any thrown value; a RoomError is returned as it is. */
  static from(error: unknown, code: RoomErrorCode = 'INTERNAL'): RoomError {
    if (error instanceof RoomError) return error;
    return new RoomError(code, error instanceof Error ? error.message : String(error), { cause: error });
  }
}

const problemToCode: Partial<Record<ProblemCode, RoomErrorCode>> = {
  INVALID_REQUEST: 'INVALID_REQUEST',
  UNAUTHORIZED: 'REFUSED',
  PAYLOAD_TOO_LARGE: 'INVALID_REQUEST',
  NO_CAPACITY: 'NO_CAPACITY',
  ROOM_FULL: 'ROOM_FULL',
  UNAVAILABLE: 'UNAVAILABLE',
  INTERNAL: 'INTERNAL',
};

/**
 * The error for an HTTP response that is not a success.
 *
 * @param body the parsed body, a problem (RFC 9457) if the control plane itself answered
 * @param retryAfter the `Retry-After` header: seconds (the control plane does not use the form with a date)
 */
export function problemToRoomError(status: number, body: unknown, retryAfter: string | null): RoomError {
  const problem: Partial<Problem> = typeof body === 'object' && body !== null ? body : {};
  const code =
    (problem.code && problemToCode[problem.code]) ??
    (isForeign(status) ? 'CONTROL_PLANE_UNREACHABLE' : statusToCode(status));
  const seconds = retryAfter === null ? Number.NaN : Number(retryAfter);
  return new RoomError(code, problem.detail ?? problem.title ?? `The control plane answered with status ${status}`, {
    status,
    retryAfterMs: Number.isFinite(seconds) ? Math.max(0, seconds * 1000) : undefined,
  });
}

/** The error for a request that the daemon refused. */
export function protooToRoomError({ code, reason }: { code: number; reason: string }): RoomError {
  return new RoomError(statusToCode(code), reason, { status: code });
}

/** Whether a response without a problem document comes from a proxy in front of the control plane. */
function isForeign(status: number): boolean {
  return status === 404 || status === 502 || status === 504;
}

function statusToCode(status: number): RoomErrorCode {
  if (status === 401 || status === 403) return 'REFUSED';
  if (status === 429 || status === 503) return 'UNAVAILABLE';
  if (status >= 400 && status < 500) return 'INVALID_REQUEST';
  return 'INTERNAL';
}
