import type { ListedKind, LocalDevices } from '../devices/LocalDevices.ts';
import { Icon } from '../Icon.tsx';

const WORDS: Record<
  ListedKind,
  { readonly label: string; readonly none: string; readonly icon: 'camera' | 'mic' | 'speaker' }
> = {
  camera: { label: 'Camera', none: 'Camera', icon: 'camera' },
  microphone: { label: 'Microphone', none: 'Microphone', icon: 'mic' },
  speaker: { label: 'Speaker', none: 'Speaker', icon: 'speaker' },
};

/** Lets the person choose a camera, microphone or speaker. */
export function DevicePicker({ devices, kind }: { devices: LocalDevices; kind: ListedKind }) {
  const { label, none, icon } = WORDS[kind];
  const list = devices.list(kind);
  return (
    <label class="picker">
      <Icon name={icon} />
      <span class="visually-hidden">{label}</span>
      <select
        name={kind}
        disabled={list.length === 0}
        value={devices.chosen(kind)}
        onChange={(event) => devices.choose(kind, event.currentTarget.value)}
      >
        {list.length === 0 && <option value="">{none}</option>}
        {list.map(({ deviceId, label: name }, index) => (
          <option key={deviceId} value={deviceId}>
            {name || `${label} ${index + 1}`}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Whether this browser lets a page choose the speaker. */
export const canChooseSpeaker = (): boolean => 'setSinkId' in HTMLMediaElement.prototype;
