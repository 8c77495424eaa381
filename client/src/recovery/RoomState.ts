import type { RoomError } from '../errors.ts';

/** What is told of a loss while it is being mended. */
export interface Loss {
  /** 1 for the first. */
  readonly attempt: number;
  /** What was lost. */
  readonly reason: RoomError;
  /**
   * Why the attempt before this one failed: CONTROL_PLANE_UNREACHABLE, for example, where neither the place of before nor
   * who could name another answers.
   */
  readonly failure?: RoomError;
}

/** The life of a room's connection, for a user interface to draw. */
export type RoomState =
  /**
   * The first join. 0: not asked for yet. From the second attempt on `reason` says why the one before failed: the room
   * may be full, for example, and is then entered as soon as it is not.
   */
  | { readonly status: 'connecting'; readonly attempt: number; readonly reason?: RoomError }
  | { readonly status: 'connected'; readonly daemonId: string }
  /** Signaling is lost, media flows on: nothing to worry people with. */
  | ({ readonly status: 'resuming'; readonly daemonId: string } & Loss)
  /** The daemon is to be ended: media flows on there while the next place is made. */
  | ({ readonly status: 'moving'; readonly daemonId: string } & Loss)
  /** Media is interrupted and will be back; elements show the last frame. */
  | ({ readonly status: 'reconnecting' } & Loss)
  /** For good. `reason` is missing where the peer itself left. */
  | { readonly status: 'closed'; readonly reason?: RoomError };
