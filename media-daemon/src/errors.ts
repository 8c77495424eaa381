import { type ErrorCode, errorCodes } from '@mediasoup-server/proto/errorCodes';
import { errors as mediasoupErrors } from 'mediasoup';

/** A worker's plain Error for an SSRC, MID, RID or SCTP stream that the client uses a second time. */
const IN_USE = /already exists in (RTP|SCTP) listener/;

/** The error of every call to mediasoup after one that it could not serialize; the worker is being killed. */
const BROKEN = /object serialization must not be nested/;

/** The failure of a request, by a code of the catalogue. Signaling and gRPC answer it. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly code: ErrorCode;
  /** The limit that was reached, as the metrics name it. */
  readonly limit: string | undefined;

  constructor(code: ErrorCode, message: string, { limit, ...options }: ErrorOptions & { limit?: string } = {}) {
    super(message, options);
    this.code = code;
    this.limit = limit;
  }

  /** The HTTP status: protoo's `errorCode`. */
  get status(): number {
    return errorCodes[this.code].http;
  }

  /** As answers carry it: `PRODUCER_NOT_FOUND: there is no such producer in the room`. */
  get reason(): string {
    return `${this.code}: ${this.message}`;
  }

  /** Maps what mediasoup throws; anything unknown becomes INTERNAL, without its text. */
  static from(error: unknown): RequestError {
    if (error instanceof RequestError) return error;
    if (error instanceof mediasoupErrors.WorkerClosedError || (error instanceof Error && BROKEN.test(error.message)))
      return new RequestError('WORKER_DIED', 'the media worker died, try again', { cause: error });
    // mediasoup throws TypeError for parameters that it does not accept, with a text that says which.
    if (error instanceof TypeError) return new RequestError('INVALID_REQUEST', error.message, { cause: error });
    if (error instanceof mediasoupErrors.UnsupportedError)
      return new RequestError('UNSUPPORTED_MEDIA', error.message, { cause: error });
    // Something closed while it was used: its peer left, or its worker died.
    if (error instanceof mediasoupErrors.NotFoundError)
      return new RequestError('ALREADY_CLOSED', 'the object has closed', { cause: error });
    if (error instanceof Error && IN_USE.test(error.message))
      return new RequestError('STREAM_IN_USE', error.message, { cause: error });
    return new RequestError('INTERNAL', 'the server failed', { cause: error });
  }
}
