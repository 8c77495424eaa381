import { useEffect } from 'preact/hooks';
import type { LocalDevices } from './devices/LocalDevices.ts';
import { Icon } from './Icon.tsx';
import type { Message } from './words/Message.ts';

interface EndedProps {
  readonly message: Message;
  readonly devices: LocalDevices;
  readonly onRejoin: () => void;
  readonly onBack: () => void;
}

/** The page after a call. It turns the camera off. */
export function Ended({ message, devices, onRejoin, onBack }: EndedProps) {
  useEffect(() => devices.pause(), []);
  return (
    <main class="page">
      <section class="card" role="status" data-testid="ended">
        <div class="emblem">
          <Icon name="leave" />
        </div>
        <h1>{message.title}</h1>
        <p class="muted">{message.text}</p>
        <div class="actions">
          <button type="button" class="primary" onClick={onRejoin}>
            Join again
          </button>
          <button type="button" onClick={onBack}>
            Back to the start
          </button>
        </div>
      </section>
    </main>
  );
}
