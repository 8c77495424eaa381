import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { CopyLink } from '../CopyLink.tsx';
import type { LocalDevices } from '../devices/LocalDevices.ts';
import { playChime } from '../devices/playChime.ts';
import { Icon } from '../Icon.tsx';
import { ThemeSwitch } from '../ThemeSwitch.tsx';
import { useChanges } from '../useChanges.ts';
import { canChooseSpeaker, DevicePicker } from './DevicePicker.tsx';
import { Preview } from './Preview.tsx';

export interface JoinRequest {
  readonly roomId: string;
  readonly name: string;
}

interface LandingProps {
  readonly initial: JoinRequest;
  /** Whether an invitation determines the room. */
  readonly invited: boolean;
  readonly devices: LocalDevices;
  readonly onJoin: (request: JoinRequest) => void;
}

/** The page before a call: preview, devices, name and room. */
export function Landing({ initial, invited, devices, onJoin }: LandingProps) {
  useChanges(devices);
  const [wanted, setWanted] = useState(initial.roomId);
  const roomId = invited ? initial.roomId : wanted;
  const [name, setName] = useState(initial.name);
  const nameInput = useRef<HTMLInputElement>(null);
  // At once: later it would take the focus from another field.
  useLayoutEffect(() => nameInput.current?.focus(), []);
  const request = { roomId: roomId.trim(), name: name.trim() };

  return (
    <div class="landing">
      <header class="top">
        <span class="brand">
          <Icon name="camera" />
          Video call
        </span>
        <ThemeSwitch />
      </header>
      <main>
        <Preview devices={devices} />
        <form
          class="landing-form"
          data-testid="join-form"
          onSubmit={(event) => {
            event.preventDefault();
            if (request.roomId && request.name) onJoin(request);
          }}
        >
          <h1>{invited ? 'You are invited' : 'Ready to meet?'}</h1>
          <p class="muted">Everybody who opens the same room meets there. Nothing to install, no account.</p>
          <label class="field">
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
          <label class="field">
            <span>Room</span>
            <input
              name="room"
              value={roomId}
              onInput={(event) => setWanted(event.currentTarget.value)}
              required
              readOnly={invited}
              maxLength={100}
              autocomplete="off"
              spellcheck={false}
            />
          </label>
          <button type="submit" class="primary big">
            {joinWords(devices)}
          </button>
          {!invited && <CopyLink roomId={request.roomId} />}
        </form>
        <section class="pickers" aria-label="Devices">
          <DevicePicker devices={devices} kind="camera" />
          <DevicePicker devices={devices} kind="microphone" />
          {canChooseSpeaker() && <DevicePicker devices={devices} kind="speaker" />}
          <TestSound devices={devices} />
        </section>
      </main>
    </div>
  );
}

/** The button says whether the camera and the microphone are on. */
function joinWords({ camera, microphone }: LocalDevices): string {
  const seen = camera.state.status === 'on' || camera.state.status === 'starting';
  const heard = microphone.state.status === 'on' || microphone.state.status === 'starting';
  if (seen) return heard ? 'Join' : 'Join without microphone';
  return heard ? 'Join without camera' : 'Join to watch and listen';
}

function TestSound({ devices }: { devices: LocalDevices }) {
  const [said, setSaid] = useState('');
  const play = () => {
    setSaid('Playing…');
    playChime(devices.speakerId).then(
      () => setSaid(''),
      (error: Error) => setSaid(`No sound: ${error.message}`),
    );
  };
  return (
    <button type="button" class="quiet small" onClick={play}>
      {said || 'Test the speaker'}
    </button>
  );
}
