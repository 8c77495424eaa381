import type { RoomError } from '../errors.ts';

/** A loss that is being recovered from. */
export interface Loss {
  /** 1 for the first attempt. */
  readonly attempt: number;
  /** What was lost. */
  readonly reason: RoomError;
  /**
   * Why the previous attempt failed, for example CONTROL_PLANE_UNREACHABLE when neither the daemon nor the control plane
   * answers.
   */
  readonly failure?: RoomError;
}

/** The state of a room's connection, for user interfaces. */
export type RoomState =
  /**
   * The first join. Attempt 0: `join` was not called yet. From the second attempt on, `reason` says why the previous one
   * failed: the room may be full, for example, and is joined as soon as it is not.
   */
  | { readonly status: 'connecting'; readonly attempt: number; readonly reason?: RoomError }
  | { readonly status: 'connected'; readonly daemonId: string }
  /** Signaling is lost and media still flows: nothing to show at first. */
  | ({ readonly status: 'resuming'; readonly daemonId: string } & Loss)
  /** The daemon drains. Media still flows there while the peer joins another daemon. */
  | ({ readonly status: 'moving'; readonly daemonId: string } & Loss)
  /** Media is interrupted; elements show the last frame until it is back. */
  | ({ readonly status: 'reconnecting' } & Loss)
  /** Closed for good. `reason` is missing if the peer itself left. */
  | { readonly status: 'closed'; readonly reason?: RoomError };
