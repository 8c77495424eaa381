import { ROOM_FULL } from '@mediasoup-server/proto/protoo';
import { RoomError } from '../errors.ts';

/** The error for a `joinRoom` that failed: what a new assignment or another attempt may mend is retryable. */
export function joinError(error: RoomError): RoomError {
  const { status, message } = error;
  // The room has just closed, or another daemon serves it now: the control plane knows which.
  if (status === 409) return new RoomError('UNAVAILABLE', message, { status, cause: error });
  // The page or the network was too slow to join in time (S3), which says nothing about the peer.
  if (status === 408) return new RoomError('UNAVAILABLE', message, { status, cause: error });
  // 503 alone does not tell a full room from a busy daemon (S34).
  if (status === 503 && message.startsWith(ROOM_FULL)) {
    return new RoomError('ROOM_FULL', message, { status, cause: error });
  }
  return error;
}
