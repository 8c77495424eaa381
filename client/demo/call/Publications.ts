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

/** Keeps what the room is sent in line with this person's devices and with the screen that they share. */
export class Publications extends TypedEmitter<{ failed: [error: RoomError] }> {
  readonly #room: Room;
  readonly #devices: LocalDevices;
  readonly #work: Record<DeviceKind, Promise<void>> = { microphone: Promise.resolve(), camera: Promise.resolve() };
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

  /** Muting keeps the microphone open, so that speaking again takes no time. */
  async toggleMicrophone(): Promise<void> {
    const { microphone } = this.#devices;
    const local = this.local('microphone');
    if (!local || microphone.state.status !== 'on') {
      await microphone.start();
      await this.#work.microphone;
    } else if (local.muted) await local.unmute();
    else await local.mute();
  }

  /** The camera is closed, not only muted: its light goes out. */
  async toggleCamera(): Promise<void> {
    const { camera } = this.#devices;
    if (camera.state.status === 'on') camera.stop();
    else await camera.start();
    await this.#work.camera;
  }

  async toggleScreen(): Promise<void> {
    if (this.local('screen')) await this.#share?.stop();
    else this.#share = await shareScreen(this.#room);
  }

  /** Ends with the room, which unpublishes everything. */
  close(): void {
    this.#stopListening();
    this.#share?.stop().catch(() => {});
  }

  #update(): void {
    for (const kind of ['microphone', 'camera'] as const) {
      // One change after another: a camera may be switched faster than it is published.
      this.#work[kind] = this.#work[kind]
        .then(() => this.#bringInLine(kind))
        .catch((error) => this.emit('failed', RoomError.from(error)));
    }
  }

  async #bringInLine(kind: DeviceKind): Promise<void> {
    const { state, track } = this.#devices[kind];
    const published = this.local(kind);
    // While another camera starts, the others go on seeing the last picture of this one.
    if (state.status === 'starting' || this.#room.state.status === 'closed') return;
    if (!track) await published?.close();
    else if (published) await published.replaceTrack(track);
    else await this.#room.publish(track, { source: kind, simulcast: kind === 'camera' });
  }
}
