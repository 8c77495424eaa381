import { RoomError } from '../errors.ts';
import type { Session } from '../session/Session.ts';
import { isBeyondRepair, type SessionFailure } from '../session/SessionFailure.ts';
import type { RoomState } from './RoomState.ts';

/** The life of a peer's connection to its room. */
export type Lifecycle =
  /** No session was opened so far. */
  | { readonly kind: 'joining' }
  /** The session works. */
  | { readonly kind: 'attached'; readonly session: Session }
  | Recovering
  /** Closed for good. `session` is the last one; `reason` is missing where the peer itself left. */
  | { readonly kind: 'closed'; readonly session: Session | undefined; readonly reason: RoomError | undefined };

/** The session failed, and is resumed or replaced by another one. */
export interface Recovering {
  readonly kind: 'recovering';
  readonly session: Session;
  readonly failure: SessionFailure;
  /** Set once the daemon asked the peer to move, which stays true when its socket is lost after that. */
  readonly moveRequest: SessionFailure | undefined;
}

export function sessionOf(lifecycle: Lifecycle): Session | undefined {
  return lifecycle.kind === 'joining' ? undefined : lifecycle.session;
}

/** A later failure replaces an earlier one, except that only a refusal follows a failure that is beyond repair. */
export function afterFailure(lifecycle: Lifecycle, reported: SessionFailure): Lifecycle {
  switch (lifecycle.kind) {
    case 'joining':
    case 'closed':
      return lifecycle;
    case 'attached':
    case 'recovering': {
      const known = lifecycle.kind === 'recovering' ? lifecycle : undefined;
      if (known && isBeyondRepair(known.failure) && reported.kind !== 'refused') return lifecycle;
      const moveRequest = reported.kind === 'moveRequested' ? reported : known?.moveRequest;
      return { kind: 'recovering', session: lifecycle.session, failure: reported, moveRequest };
    }
  }
}

/** @throws {RoomError} where the peer was refused or has left, so that nothing is to be recovered */
export function throwIfOver(lifecycle: Lifecycle): void {
  switch (lifecycle.kind) {
    case 'joining':
    case 'attached':
      return;
    case 'recovering':
      if (lifecycle.failure.kind === 'refused') throw lifecycle.failure.error;
      return;
    case 'closed':
      throw lifecycle.reason ?? new RoomError('ROOM_CLOSED', 'The peer has left the room');
  }
}

/** The state that the application sees. While there is no working session: of this attempt, after that failure of the last. */
export function roomStateOf(lifecycle: Lifecycle, attempt = 1, lastFailure?: RoomError): RoomState {
  switch (lifecycle.kind) {
    case 'joining':
      return { status: 'connecting', attempt, ...(lastFailure && { reason: lastFailure }) };
    case 'attached': {
      const { daemonId, transports } = lifecycle.session;
      if (transports.flowing) return { status: 'connected', daemonId };
      const reason = new RoomError('TRANSPORT_FAILED', 'The connection carries no media at the moment');
      return { status: 'reconnecting', attempt: 1, reason };
    }
    case 'recovering':
      return recoveringState(lifecycle, attempt, lastFailure);
    case 'closed':
      return { status: 'closed', ...(lifecycle.reason && { reason: lifecycle.reason }) };
  }
}

function recoveringState(
  { session: { daemonId, transports }, failure: sessionFailure }: Recovering,
  attempt: number,
  failure: RoomError | undefined,
): RoomState {
  const loss = { attempt, reason: sessionFailure.error, ...(failure && { failure }) };
  switch (sessionFailure.kind) {
    case 'moveRequested':
      return { status: 'moving', daemonId, ...loss };
    case 'socketLost':
      return transports.flowing ? { status: 'resuming', daemonId, ...loss } : { status: 'reconnecting', ...loss };
    case 'mediaLost':
    case 'refused':
      return { status: 'reconnecting', ...loss };
  }
}
