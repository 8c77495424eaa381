import type { Problem, ProblemCode } from '@mediasoup-server/proto/http';

/** What can go wrong for a room, and whether trying again by itself may help. */
const catalogue = {
  /** The control plane gave no answer, or one that is not its own. */
  CONTROL_PLANE_UNREACHABLE: { retryable: true },
  /** The room takes no more peers now. */
  ROOM_FULL: { retryable: true },
  /** No media daemon can take the room now. */
  NO_CAPACITY: { retryable: true },
  /** The service or the daemon is not available now, or asks for slower requests. */
  UNAVAILABLE: { retryable: true },
  /** The media daemon's WebSocket could not be opened. */
  DAEMON_UNREACHABLE: { retryable: true },
  /** The WebSocket was lost or went silent. */
  CONNECTION_LOST: { retryable: true },
  /** ICE or DTLS failed: no media flows. */
  TRANSPORT_FAILED: { retryable: true },
  /** The daemon asked the peer to move. */
  MOVED: { retryable: true },
  /** Something else went wrong on the server. */
  INTERNAL: { retryable: true },
  /** The request is not valid: a bad id, for example. */
  INVALID_REQUEST: { retryable: false },
  /** The room or the daemon refuses this peer for good; the message says why. */
  REFUSED: { retryable: false },
  /** The room was closed for good. */
  ROOM_CLOSED: { retryable: false },
  /** This browser cannot do what WebRTC with mediasoup needs. */
  UNSUPPORTED_BROWSER: { retryable: false },
} as const satisfies Record<string, { retryable: boolean }>;

export type RoomErrorCode = keyof typeof catalogue;

interface RoomErrorOptions {
  readonly cause?: unknown;
  /** The HTTP status or the protoo `errorCode` that the server gave. */
  readonly status?: number | undefined;
  /** How long the server asks to wait before the next attempt. */
  readonly retryAfterMs?: number | undefined;
}

/** Every error that this SDK rejects with or puts in a state. */
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

  /** Whether trying again, unchanged, may succeed. */
  get retryable(): boolean {
    return catalogue[this.code].retryable;
  }

  /** Wraps whatever was thrown; a RoomError is returned as it is. */
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
 * The error for an HTTP answer that is not a success.
 *
 * @param body the parsed body, which is a problem (RFC 9457) when the control plane itself answered
 * @param retryAfter the `Retry-After` header: seconds (the form with a date is not used by the control plane)
 */
export function problemToRoomError(status: number, body: unknown, retryAfter: string | null): RoomError {
  const problem: Partial<Problem> = typeof body === 'object' && body !== null ? body : {};
  const code =
    (problem.code && problemToCode[problem.code]) ??
    (isForeign(status) ? 'CONTROL_PLANE_UNREACHABLE' : statusToCode(status));
  const seconds = retryAfter === null ? Number.NaN : Number(retryAfter);
  return new RoomError(code, problem.detail ?? problem.title ?? `The service answered with status ${status}`, {
    status,
    retryAfterMs: Number.isFinite(seconds) ? Math.max(0, seconds * 1000) : undefined,
  });
}

/** The error for a request that the daemon refused. */
export function protooToRoomError({ code, reason }: { code: number; reason: string }): RoomError {
  return new RoomError(statusToCode(code), reason, { status: code });
}

/** Whether an answer that is no problem document was given by something in front of the control plane. */
function isForeign(status: number): boolean {
  return status === 404 || status === 502 || status === 504;
}

function statusToCode(status: number): RoomErrorCode {
  if (status === 401 || status === 403) return 'REFUSED';
  if (status === 429 || status === 503) return 'UNAVAILABLE';
  if (status >= 400 && status < 500) return 'INVALID_REQUEST';
  return 'INTERNAL';
}
