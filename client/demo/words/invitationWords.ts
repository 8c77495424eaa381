import type { Invitation } from '../invitation.ts';
import type { Message } from './Message.ts';

/** What a person is told whom the service does not let in: it says no more than that, but the invitation may. */
export function invitationWords(invitation: Invitation | undefined, now: number = Date.now()): Message {
  if (!invitation) {
    return {
      title: 'You need an invitation',
      text: 'This service lets in only who has a link for the room. Ask for one.',
    };
  }
  const wayOn = 'Ask for a new link; opened in this tab, it lets you in.';
  if (invitation.expiresAt > 0 && invitation.expiresAt < now) {
    return { title: 'Your invitation has expired', text: wayOn };
  }
  return { title: 'Your invitation is not valid', text: wayOn };
}
