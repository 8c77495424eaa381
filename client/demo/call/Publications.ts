import { TypedEmitter } from '../../src/events.ts';
import {
  type LocalTrack,
  type Room,
  RoomError,
  type ScreenShare,
  shareScreen,
  type TrackSource,
} from '../../src/index.ts';
import type { DeviceKind } from '../devices/deviceProblem.ts';
import type { LocalDevices } from '../devices/LocalDevices.ts';

/** Publishes this person's devices and shared screen, and follows their changes. */
export class Publications extends TypedEmitter<{ failed: [error: RoomError] }> {
  readonly #room: Room;
  readonly #devices: LocalDevices;
  readonly #pending: Record<DeviceKind, Promise<void>> = { microphone: Promise.resolve(), camera: Promise.resolve() };
  readonly #stopListening: () => void;
  #share: ScreenShare | undefined;

  constructor(room: Room, devices: LocalDevices) {
    super();
    this.#room = room;
    this.#devices = devices;
    this.#stopListening = devices.on('changed', () => this.#update());
    this.#update();
  }

  local(source: TrackSource): LocalTrack | undefined {
    return this.#room.localTracks.find((track) => track.source === source);
  }

  get microphoneOn(): boolean {
    return this.#devices.microphone.track !== undefined && this.local('microphone')?.muted !== true;
  }

  /** Muting keeps the microphone open, so that unmuting takes no time. */
  async toggleMicrophone(): Promise<void> {
    const { microphone } = this.#devices;
    const local = this.local('microphone');
    if (!local || microphone.state.status !== 'on') {
      await microphone.start();
      await this.#pending.microphone;
    } else if (local.muted) await local.unmute();
    else await local.mute();
  }

  /** Closes the camera instead of muting it, so that its light goes off. */
  async toggleCamera(): Promise<void> {
    const { camera } = this.#devices;
    if (camera.state.status === 'on') camera.stop();
    else await camera.start();
    await this.#pending.camera;
  }

  async toggleScreen(): Promise<void> {
    if (this.local('screen')) await this.#share?.stop();
    else this.#share = await shareScreen(this.#room);
  }

  /** Call it when the room is closed, which unpublishes all tracks. */
  close(): void {
    this.#stopListening();
    this.#share?.stop().catch(() => {});
  }

  #update(): void {
    for (const kind of ['microphone', 'camera'] as const) {
      // One change after another: a person may switch a camera faster than it is published.
      this.#pending[kind] = this.#pending[kind]
        .then(() => this.#publish(kind))
        .catch((error) => this.emit('failed', RoomError.from(error)));
    }
  }

  async #publish(kind: DeviceKind): Promise<void> {
    const { state, track } = this.#devices[kind];
    const published = this.local(kind);
    // While another camera starts, others see the last picture of this one.
    if (state.status === 'starting' || this.#room.state.status === 'closed') return;
    if (!track) await published?.close();
    else if (published) await published.replaceTrack(track);
    else await this.#room.publish(track, { source: kind, simulcast: kind === 'camera' });
  }
}
