import type { Invitation } from '../invitation.ts';
import type { Message } from './Message.ts';

/** The text for a person whom the service refused with 401. The invitation may show why. */
export function invitationWords(invitation: Invitation | undefined, now: number = Date.now()): Message {
  if (!invitation) {
    return {
      title: 'You need an invitation',
      text: 'To join a room of this service you need a link. Ask for one.',
    };
  }
  const wayOn = 'Ask for a new link and open it in this tab.';
  if (invitation.expiresAt > 0 && invitation.expiresAt < now) {
    return { title: 'Your invitation has expired', text: wayOn };
  }
  return { title: 'Your invitation is not valid', text: wayOn };
}
