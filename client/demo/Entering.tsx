import { useEffect, useState } from 'preact/hooks';
import { type JoinOptions, Room, RoomError } from '../src/index.ts';
import { Icon } from './Icon.tsx';
import type { Invitation } from './invitation.ts';
import { invitationWords } from './words/invitationWords.ts';
import type { Message } from './words/Message.ts';
import { roomWords } from './words/roomWords.ts';

/** The longest wait before another attempt, ms: who waits for a place wants it soon after it is there. */
const LONGEST_WAIT_MS = 5000;

function words(refusal: RoomError, invitation: Invitation | undefined): Message {
  return refusal.status === 401 ? invitationWords(invitation) : roomWords(refusal);
}

interface EnteringProps {
  readonly options: JoinOptions;
  readonly invitation: Invitation | undefined;
  readonly onJoined: (room: Room) => void;
  readonly onBack: () => void;
}

/** Joins the room, and goes on trying for as long as what is in the way may go away. Other options begin anew. */
export function Entering({ options, invitation, onJoined, onBack }: EnteringProps) {
  const [attempt, setAttempt] = useState(1);
  const [refusal, setRefusal] = useState<RoomError>();
  const [busy, setBusy] = useState(true);

  useEffect(() => {
    let abandoned = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    setBusy(true);
    Room.join(options).then(
      (room) => {
        if (abandoned) room.leave();
        else onJoined(room);
      },
      (cause) => {
        if (abandoned) return;
        const error = RoomError.from(cause);
        setRefusal(error);
        setBusy(false);
        const wait = error.retryAfterMs ?? 500 * 2 ** attempt;
        if (error.retryable) timer = setTimeout(() => setAttempt(attempt + 1), Math.min(wait, LONGEST_WAIT_MS));
      },
    );
    return () => {
      abandoned = true;
      clearTimeout(timer);
    };
  }, [options, attempt]);

  const { title, text } = refusal
    ? words(refusal, invitation)
    : { title: `Joining ${options.roomId}…`, text: 'One moment.' };
  return (
    <main class="page">
      <section class="card" role="status" data-testid="entering" data-code={refusal?.code ?? 'none'}>
        <div class={`emblem ${refusal ? 'warn' : ''}`}>
          <Icon name={refusal ? 'plug' : 'camera'} />
        </div>
        <h1>{title}</h1>
        <p class="muted">{text}</p>
        {(!refusal || refusal.retryable) && (
          <p class="waiting">
            <span class="spinner" aria-hidden="true" />
            {refusal ? 'You get in by yourself as soon as it works.' : 'Connecting…'}
          </p>
        )}
        <div class="actions">
          {refusal && (
            <button
              type="button"
              class="primary"
              data-testid="retry"
              disabled={busy}
              onClick={() => setAttempt(attempt + 1)}
            >
              {busy ? 'Trying…' : 'Try now'}
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
