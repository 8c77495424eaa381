import { useEffect, useState } from 'preact/hooks';
import { type JoinOptions, Room, RoomError } from '../src/index.ts';
import { Icon } from './Icon.tsx';
import type { Invitation } from './invitation.ts';
import { invitationWords } from './words/invitationWords.ts';
import type { Message } from './words/Message.ts';
import { roomWords } from './words/roomWords.ts';

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
    const room = new Room(options);
    let joined = false;
    setBusy(true);
    room.on('stateChanged', (state) => {
      if (state.status !== 'connecting') return;
      if (state.reason) setRefusal(state.reason);
      setBusy(false);
    });
    room.join().then(
      () => {
        joined = true;
        onJoined(room);
      },
      (cause) => {
        setRefusal(RoomError.from(cause));
        setBusy(false);
      },
    );
    return () => {
      if (!joined) room.leave();
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
