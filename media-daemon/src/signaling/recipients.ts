import type { Peer } from '../peers/Peer.ts';
import type { Room } from '../rooms/Room.ts';
import type { RoomPeer } from '../rooms/RoomEvent.ts';
import type { Audience } from './notices.ts';

/** The peers of a room that an audience stands for. */
export function recipientsOf(to: Audience, room: Room): RoomPeer[] {
  switch (to.kind) {
    case 'peer':
      return [to.peer];
    case 'peers':
      return to.peerIds.flatMap((peerId) => room.get(peerId) ?? []);
    case 'all':
      return listenersOf(room);
    case 'others':
      return listenersOf(room).filter(({ id }) => id !== to.than);
  }
}

/** The peers that are notified of the others. Those on a dead worker leave next, and need not hear what its death closes. */
const listenersOf = (room: Room): Peer[] =>
  room.closed ? [] : room.peers.filter(({ announced, router }) => announced && !router.closed);
