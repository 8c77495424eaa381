import type { RoomContext } from '../rooms/RoomContext.ts';
import type { RoomEvent } from '../rooms/RoomEvent.ts';
import type { RoomRouter } from '../routers/RoomRouter.ts';
import type { Grants } from './Grants.ts';

/** What the parts of a peer share: who it is, where its media is, and its room. */
export type PeerContext = {
  readonly id: string;
  readonly grants: Grants;
  readonly router: RoomRouter;
  readonly room: RoomContext;
  /** Emits an event that concerns this peer alone, unless it has left: another peer may have its id by then. */
  emitOwn(event: RoomEvent): void;
};
