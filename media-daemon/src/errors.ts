import type { ErrorCode } from '@mediasoup-server/proto/signaling';
import { errors as mediasoupErrors } from 'mediasoup';

/** What a worker says of an SSRC, MID, RID or SCTP stream that the client uses a second time: a plain Error. */
const TAKEN = /already exists in (RTP|SCTP) listener/;

/** What every call to mediasoup says after one that could not be serialized; its worker is being killed. */
const BROKEN = /object serialization must not be nested/;

/** A failure that is told to whoever asked: protoo's errorCode and errorReason, or a gRPC status. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly code: ErrorCode;
  /** The limit that was reached, as the metrics name it. */
  readonly limit: string | undefined;

  constructor(code: ErrorCode, reason: string, { limit, ...options }: ErrorOptions & { limit?: string } = {}) {
    super(reason, options);
    this.code = code;
    this.limit = limit;
  }

  /** Maps what mediasoup throws; anything unknown becomes 500 with nothing of it shown. */
  static from(error: unknown): RequestError {
    if (error instanceof RequestError) return error;
    if (error instanceof mediasoupErrors.WorkerClosedError || (error instanceof Error && BROKEN.test(error.message)))
      return new RequestError(503, 'the media worker ended, try again', { cause: error });
    // mediasoup throws TypeError for parameters that it does not accept, with a text that says which.
    if (error instanceof TypeError) return new RequestError(400, error.message, { cause: error });
    if (error instanceof mediasoupErrors.UnsupportedError)
      return new RequestError(422, error.message, { cause: error });
    // Something was closed while it was being used: the peer, or its worker died.
    if (error instanceof mediasoupErrors.NotFoundError)
      return new RequestError(404, 'it is closed already', { cause: error });
    if (error instanceof Error && TAKEN.test(error.message))
      return new RequestError(409, error.message, { cause: error });
    return new RequestError(500, 'something went wrong here', { cause: error });
  }
}
