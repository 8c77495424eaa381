import { TypedEmitter } from '../../src/events.ts';
import { type Devices, listDevices, watchDevices } from '../../src/index.ts';
import { recall, remember } from '../storage.ts';
import { Capture } from './Capture.ts';
import type { DeviceKind } from './deviceProblem.ts';
import { hasMediaDevices, openBoth } from './openDevice.ts';

export type ListedKind = DeviceKind | 'speaker';

/** The camera, microphone and speaker of this person, for the life of the page. */
export class LocalDevices extends TypedEmitter<{ changed: [] }> {
  readonly camera = new Capture('camera', recall('camera'));
  readonly microphone = new Capture('microphone', recall('microphone'));
  #speakerId = recall('speaker') ?? '';
  #lists: Record<ListedKind, readonly MediaDeviceInfo[]> = { camera: [], microphone: [], speaker: [] };

  constructor() {
    super();
    for (const capture of [this.camera, this.microphone]) {
      capture.on('changed', () => {
        this.emit('changed');
        // Browsers give the names of devices only after one was opened.
        if (capture.state.status === 'on') listDevices().then((found) => this.#listed(found), reportError);
      });
    }
    watchDevices((found) => this.#listed(found));
  }

  /** The speaker; empty for the system's default. */
  get speakerId(): string {
    return this.#speakerId;
  }

  list(kind: ListedKind): readonly MediaDeviceInfo[] {
    return this.#lists[kind];
  }

  /** The open device, or the one that will be opened: the first one if the last one is gone. */
  chosen(kind: ListedKind): string {
    const wanted = kind === 'speaker' ? this.#speakerId : this[kind].deviceId;
    const list = this.#lists[kind];
    return (list.find(({ deviceId }) => deviceId === wanted) ?? list[0])?.deviceId ?? '';
  }

  choose(kind: ListedKind, deviceId: string): void {
    remember(kind, deviceId);
    if (kind !== 'speaker') {
      void this[kind].choose(deviceId);
      return;
    }
    this.#speakerId = deviceId;
    this.emit('changed');
  }

  /** Opens both with one permission prompt, or the one that works. */
  startBoth(): void {
    const both = hasMediaDevices()
      ? openBoth({ camera: recall('camera'), microphone: recall('microphone') }).catch(() => undefined)
      : undefined;
    for (const capture of [this.microphone, this.camera])
      void capture.start(both?.then((tracks) => tracks?.[capture.kind]));
  }

  /** Closes the open devices. @returns a function that opens them again */
  pause(): () => void {
    const paused = [this.camera, this.microphone].filter((capture) => capture.wanted);
    for (const capture of paused) capture.stop();
    return () => {
      for (const capture of paused) void capture.start();
    };
  }

  #listed({ cameras, microphones, speakers }: Devices): void {
    this.#lists = { camera: cameras, microphone: microphones, speaker: speakers };
    this.emit('changed');
  }
}
