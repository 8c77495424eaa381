import { RoomError } from '../errors.ts';

/** The error for a `joinRoom` that failed: retryable if a new assignment or another attempt may succeed. */
export function joinError(error: RoomError): RoomError {
  const { status, serverCode, message } = error;
  switch (status) {
    // The room has just closed, or another daemon serves it now: the control plane knows which.
    case 409:
    // The page or the network was too slow to join in time (S3), which says nothing about the peer.
    case 408:
      return new RoomError('UNAVAILABLE', message, { status, serverCode, cause: error });
    default:
      return error;
  }
}
