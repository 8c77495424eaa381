import { TypedEmitter } from '../../src/events.ts';
import { type Devices, listDevices, watchDevices } from '../../src/index.ts';
import { recall, remember } from '../storage.ts';
import { Capture } from './Capture.ts';
import type { DeviceKind } from './deviceProblem.ts';
import { hasMediaDevices, openBoth } from './openDevice.ts';

export type ListedKind = DeviceKind | 'speaker';

/** What this person is seen, heard and hears with. It lives as long as the page, before, in and after a call. */
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
        // Browsers tell the names of devices only once one of them is open.
        if (capture.state.status === 'on') listDevices().then((found) => this.#listed(found), reportError);
      });
    }
    watchDevices((found) => this.#listed(found));
  }

  /** Where sound is played; empty is the system's choice. */
  get speakerId(): string {
    return this.#speakerId;
  }

  list(kind: ListedKind): readonly MediaDeviceInfo[] {
    return this.#lists[kind];
  }

  /** The device in use, or the one that will be: the first one where the one of last time is gone. */
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

  /** Opens both with one question to the person, or as much of them as there is. */
  startBoth(): void {
    const both = hasMediaDevices()
      ? openBoth({ camera: recall('camera'), microphone: recall('microphone') }).catch(() => undefined)
      : undefined;
    for (const capture of [this.microphone, this.camera])
      void capture.start(both?.then((tracks) => tracks?.[capture.kind]));
  }

  /** Closes what is open. @returns the function that opens it again */
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
