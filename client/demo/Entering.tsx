import { useEffect, useState } from 'preact/hooks';
import { type JoinOptions, Room, type RoomError, type RoomState } from '../src/index.ts';
import { Icon } from './Icon.tsx';
import type { Invitation } from './invitation.ts';
import { invitationWords } from './words/invitationWords.ts';
import type { Message } from './words/Message.ts';
import { roomWords } from './words/roomWords.ts';

interface EnteringProps {
  readonly options: JoinOptions;
  readonly invitation: Invitation | undefined;
  readonly onJoined: (room: Room) => void;
  readonly onBack: () => void;
}

/** Joins the room. The room retries temporary errors; other options start a new join. */
export function Entering({ options, invitation, onJoined, onBack }: EnteringProps) {
  const [attempt, setAttempt] = useState(1);
  const [state, setState] = useState<RoomState>({ status: 'connecting', attempt: 0 });
  /** Why the last attempt failed; kept during the next one. */
  const [refusal, setRefusal] = useState<RoomError>();

  useEffect(() => {
    const room = new Room(options);
    let joined = false;
    room.on('stateChanged', (changed) => {
      setState(changed);
      if ('reason' in changed && changed.reason) setRefusal(changed.reason);
    });
    room.join().then(
      () => {
        joined = true;
        onJoined(room);
      },
      // `stateChanged` has reported the error.
      () => {},
    );
    return () => {
      if (!joined) room.leave();
    };
  }, [options, attempt]);

  const { title, text } = words(refusal, invitation, options.roomId);
  const final = state.status === 'closed';
  return (
    <main class="page">
      <section class="card" role="status" data-testid="entering" data-code={refusal?.code ?? 'none'}>
        <div class={`emblem ${refusal ? 'warn' : ''}`}>
          <Icon name={refusal ? 'plug' : 'camera'} />
        </div>
        <h1>{title}</h1>
        <p class="muted">{text}</p>
        {!final && (
          <p class="waiting">
            <span class="spinner" aria-hidden="true" />
            {refusal ? 'You join automatically as soon as it works.' : 'Connecting…'}
          </p>
        )}
        <div class="actions">
          {refusal && (
            <button type="button" class="primary" data-testid="retry" onClick={() => setAttempt(attempt + 1)}>
              {final ? 'Try again' : 'Try now'}
            </button>
          )}
          <button type="button" onClick={onBack}>
            Back
          </button>
        </div>
      </section>
    </main>
  );
}

function words(refusal: RoomError | undefined, invitation: Invitation | undefined, roomId: string): Message {
  if (!refusal) return { title: `Joining ${roomId}…`, text: 'One moment.' };
  return refusal.status === 401 ? invitationWords(invitation) : roomWords(refusal);
}
