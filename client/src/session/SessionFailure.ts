import type { RoomError } from '../errors.ts';

/** Why a session cannot go on as it is. */
export type SessionFailure =
  /** The WebSocket is lost; `Session.resume` may help. `silent`: the daemon did not answer, so it may be dead. */
  | { readonly kind: 'socketLost'; readonly error: RoomError; readonly silent: boolean }
  /** The daemon drains and asks the peer to move. Media flows until the peer has moved. */
  | { readonly kind: 'moveRequested'; readonly error: RoomError }
  /** A transport failed for good, or the daemon asked for a new session at once. */
  | { readonly kind: 'mediaLost'; readonly error: RoomError }
  /** The peer must not come back. */
  | { readonly kind: 'refused'; readonly error: RoomError };

/** Whether only another session helps: neither a new socket nor a later failure changes that. */
export function isBeyondRepair({ kind }: SessionFailure): boolean {
  switch (kind) {
    case 'mediaLost':
    case 'refused':
      return true;
    case 'socketLost':
    case 'moveRequested':
      return false;
  }
}
