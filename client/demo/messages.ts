import type { RoomErrorCode } from '../src/errors.ts';

export interface Message {
  readonly title: string;
  readonly text: string;
}

/** What a person is told when a call cannot be joined or has ended. */
export function roomErrorMessage(code: RoomErrorCode, detail: string): Message {
  switch (code) {
    case 'CONTROL_PLANE_UNREACHABLE':
      return { title: 'The service cannot be reached', text: 'Check your internet connection, then try again.' };
    case 'ROOM_FULL':
      return { title: 'This room is full', text: 'Try again when somebody has left, or choose another room.' };
    case 'NO_CAPACITY':
    case 'UNAVAILABLE':
      return { title: 'The service is busy', text: 'There is no free place right now. Try again in a moment.' };
    case 'DAEMON_UNREACHABLE':
    case 'CONNECTION_LOST':
    case 'MOVED':
      return {
        title: 'The media server cannot be reached',
        text: 'The network between here and it may block the connection. Try again in a moment.',
      };
    case 'TRANSPORT_FAILED':
      return {
        title: 'Sound and video do not get through',
        text: 'A firewall or VPN may block them. Try another network.',
      };
    case 'INVALID_REQUEST':
      return { title: 'This room name does not work', text: `Choose another one. (${detail})` };
    case 'REFUSED':
      return { title: 'You cannot be in this room', text: detail };
    case 'ROOM_CLOSED':
      return { title: 'The room was closed', text: 'The call is over for everybody.' };
    case 'UNSUPPORTED_BROWSER':
      return { title: 'This browser cannot make video calls', text: 'Use a current Chrome, Edge, Firefox or Safari.' };
    case 'INTERNAL':
      return { title: 'Something went wrong', text: detail };
  }
}

export type MediaProblem = 'denied' | 'missing' | 'busy' | 'insecure';

/** Names the cause of a `getUserMedia` that failed. */
export function mediaProblem(errorName: string): MediaProblem {
  if (errorName === 'NotAllowedError' || errorName === 'SecurityError') return 'denied';
  if (errorName === 'NotFoundError' || errorName === 'OverconstrainedError') return 'missing';
  return 'busy';
}

/** @param what `camera`, `microphone` or `camera and microphone` */
export function mediaProblemMessage(problem: MediaProblem, what: string): Message {
  switch (problem) {
    case 'denied':
      return {
        title: `The ${what} may not be used`,
        text: "Allow it with the icon in the browser's address bar, or join without.",
      };
    case 'missing':
      return { title: `No ${what} was found`, text: 'You can still see and hear the others.' };
    case 'busy':
      return {
        title: `The ${what} could not be started`,
        text: 'Another program may be using it. You can still see and hear the others.',
      };
    case 'insecure':
      return {
        title: `No ${what} on this address`,
        text: 'Browsers give them to pages on https:// or localhost only. You can join to watch and listen.',
      };
  }
}
