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
  /** The server's own code, for example `PEER_REMOVED`. */
  readonly serverCode?: string | undefined;
  /** How long to wait before the next attempt, as the server asked, ms. */
  readonly retryAfterMs?: number | undefined;
}

/** The error of all rejections and states of this SDK. */
export class RoomError extends Error {
  override readonly name = 'RoomError';
  readonly code: RoomErrorCode;
  /** The HTTP status or the protoo `errorCode` that the server gave. */
  readonly status: number | undefined;
  /** The server's own code, which says more than `code`: `PEER_REMOVED`, `PRODUCER_MUTED`, ... */
  readonly serverCode: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(code: RoomErrorCode, message: string, options: RoomErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.status = options.status;
    this.serverCode = options.serverCode;
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
