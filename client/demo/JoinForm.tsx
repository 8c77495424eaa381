import { useEffect, useRef, useState } from 'preact/hooks';
import { Icon } from './Icon.tsx';
import { hasMediaDevices, type Wanted } from './media.ts';
import { type Message, mediaProblemMessage } from './messages.ts';

export interface JoinRequest {
  readonly roomId: string;
  readonly name: string;
  readonly wanted: Wanted;
}

interface JoinFormProps {
  readonly initial: JoinRequest;
  readonly busy: boolean;
  readonly error: (Message & { readonly offerWithoutMedia: boolean }) | undefined;
  readonly onJoin: (request: JoinRequest) => void;
}

export function JoinForm({ initial, busy, error, onJoin }: JoinFormProps) {
  const [roomId, setRoomId] = useState(initial.roomId);
  const [name, setName] = useState(initial.name);
  const [wanted, setWanted] = useState(initial.wanted);
  const nameInput = useRef<HTMLInputElement>(null);
  useEffect(() => nameInput.current?.focus(), []);

  const insecure = hasMediaDevices() ? undefined : mediaProblemMessage('insecure', 'camera or microphone');
  const join = (media: Wanted) => {
    if (roomId.trim() && name.trim()) onJoin({ roomId: roomId.trim(), name: name.trim(), wanted: media });
  };

  return (
    <main class="page">
      <form
        class="card"
        data-testid="join-form"
        onSubmit={(event) => {
          event.preventDefault();
          join(wanted);
        }}
      >
        <div class="brand" aria-hidden="true">
          <Icon name="camera" />
        </div>
        <h1>Join a video call</h1>
        <p class="muted">Everybody who opens the same room meets there.</p>
        {insecure && !error && <Notice {...insecure} />}
        {error && (
          <Notice {...error} alert>
            {error.offerWithoutMedia ? (
              <button type="button" onClick={() => join({ microphone: false, camera: false })}>
                Join without camera and microphone
              </button>
            ) : (
              <button type="button" data-testid="retry" disabled={busy} onClick={() => join(wanted)}>
                Try again
              </button>
            )}
          </Notice>
        )}
        <label>
          <span>Your name</span>
          <input
            ref={nameInput}
            name="name"
            value={name}
            onInput={(event) => setName(event.currentTarget.value)}
            required
            maxLength={60}
            autocomplete="name"
            placeholder="How others see you"
          />
        </label>
        <label>
          <span>Room</span>
          <input
            name="room"
            value={roomId}
            onInput={(event) => setRoomId(event.currentTarget.value)}
            required
            maxLength={100}
            autocomplete="off"
            spellcheck={false}
          />
        </label>
        <fieldset class="switches">
          <legend class="visually-hidden">Join with</legend>
          <label class="switch">
            <input
              type="checkbox"
              checked={wanted.microphone}
              onChange={(event) => setWanted({ ...wanted, microphone: event.currentTarget.checked })}
            />
            <Icon name="mic" crossed={!wanted.microphone} />
            <span>Microphone</span>
          </label>
          <label class="switch">
            <input
              type="checkbox"
              checked={wanted.camera}
              onChange={(event) => setWanted({ ...wanted, camera: event.currentTarget.checked })}
            />
            <Icon name="camera" crossed={!wanted.camera} />
            <span>Camera</span>
          </label>
        </fieldset>
        <button type="submit" class="primary" disabled={busy}>
          {busy ? 'Joining…' : 'Join'}
        </button>
      </form>
    </main>
  );
}

function Notice(props: Message & { alert?: boolean; children?: preact.ComponentChildren }) {
  return (
    <div class={`notice ${props.alert ? 'alert' : ''}`} role={props.alert ? 'alert' : 'status'}>
      <strong>{props.title}</strong>
      <span>{props.text}</span>
      {props.children}
    </div>
  );
}
