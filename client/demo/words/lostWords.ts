import type { Loss } from '../../src/index.ts';
import type { Message } from './Message.ts';
import { roomWords } from './roomWords.ts';

/** The text for a call that waits for its media server, or for the control plane to assign another one. */
export function lostWords({ reason, failure }: Loss): Message {
  switch (failure?.code) {
    case 'CONTROL_PLANE_UNREACHABLE':
      // A session that can be resumed does not need another media server.
      if (reason.code === 'CONNECTION_LOST') {
        return {
          title: 'Neither the media server nor the service that gives you another can be reached',
          text: 'Your internet connection may be down, or both are. One of the two is enough.',
        };
      }
      return {
        title: 'The media server is lost, and the service cannot be reached',
        text: 'You get another media server when the service is back.',
      };
    case 'NO_CAPACITY':
      return { title: 'The media server cannot be reached', text: 'No other media server is available yet.' };
    default:
      return roomWords(failure ?? reason);
  }
}
