import type { Loss } from '../../src/index.ts';
import type { Message } from './Message.ts';
import { roomWords } from './roomWords.ts';

/** What a person is told while a call waits for its media server, or for the service that gives it another. */
export function lostWords({ reason, failure }: Loss): Message {
  switch (failure?.code) {
    case 'CONTROL_PLANE_UNREACHABLE':
      // A session that may go on needs no other place.
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
      return { title: 'The media server cannot be reached', text: 'The service has no place on another one yet.' };
    default:
      return roomWords(failure ?? reason);
  }
}
