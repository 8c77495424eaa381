import type { RoomError } from '../../src/index.ts';
import type { Message } from './Message.ts';

/** The text for a call that cannot be joined, has lost its server, or has ended. */
export function roomWords({ code, message }: Pick<RoomError, 'code' | 'message'>): Message {
  switch (code) {
    case 'CONTROL_PLANE_UNREACHABLE':
      return {
        title: 'The service cannot be reached',
        text: 'Your internet connection may be down, or the service is.',
      };
    case 'ROOM_FULL':
      return { title: 'This room is full', text: 'You can join as soon as somebody leaves.' };
    case 'NO_CAPACITY':
    case 'UNAVAILABLE':
      return { title: 'The service is busy', text: 'It has no capacity for you at the moment.' };
    case 'DAEMON_UNREACHABLE':
    case 'CONNECTION_LOST':
    case 'MOVED':
      return {
        title: 'The media server cannot be reached',
        text: 'The network between here and it may block the connection.',
      };
    case 'TRANSPORT_FAILED':
      return {
        title: 'Sound and video do not get through',
        text: 'A firewall or VPN may block them. Another network may do.',
      };
    case 'INVALID_REQUEST':
      return { title: 'This room name does not work', text: `Choose another one. (${message})` };
    case 'REFUSED':
      return { title: 'You cannot be in this room', text: message };
    case 'ROOM_CLOSED':
      return { title: 'The room was closed', text: 'The call is over for everybody.' };
    case 'UNSUPPORTED_BROWSER':
      return { title: 'This browser cannot make video calls', text: 'Use a current Chrome, Edge, Firefox or Safari.' };
    case 'INTERNAL':
      return { title: 'Something went wrong', text: message };
  }
}
