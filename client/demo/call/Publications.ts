import { TypedEmitter } from '../../src/events.ts';
import { type LocalTrack, type Room, RoomError } from '../../src/index.ts';
import type { DeviceKind } from '../devices/deviceProblem.ts';
import type { LocalDevices } from '../devices/LocalDevices.ts';
import { openScreen } from '../devices/openScreen.ts';

/** Keeps what the room is sent in line with this person's devices and with the screen that they share. */
export class Publications extends TypedEmitter<{ failed: [error: RoomError] }> {
  readonly #room: Room;
  readonly #devices: LocalDevices;
  readonly #published = new Map<DeviceKind, LocalTrack>();
  readonly #work = new Map<DeviceKind, Promise<void>>();
  readonly #stopListening: (() => void)[];

  constructor(room: Room, devices: LocalDevices) {
    super();
    this.#room = room;
    this.#devices = devices;
    this.#stopListening = [devices.on('changed', () => this.#update())];
    this.#update();
  }

  local(source: string): LocalTrack | undefined {
    return this.#room.localTracks.find((track) => track.appData.source === source);
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
      await this.#work.get('microphone');
    } else if (local.muted) await local.unmute();
    else await local.mute();
  }

  /** The camera is closed, not only muted: its light goes out. */
  async toggleCamera(): Promise<void> {
    const { camera } = this.#devices;
    if (camera.state.status === 'on') camera.stop();
    else await camera.start();
    await this.#work.get('camera');
  }

  async toggleScreen(): Promise<void> {
    const shared = this.#room.localTracks.filter(
      ({ appData }) => appData.source === 'screen' || appData.source === 'screenAudio',
    );
    if (shared.length > 0) {
      for (const { track } of shared) track.stop();
      await Promise.all(shared.map((local) => local.close()));
      return;
    }
    const stream = await openScreen();
    if (!stream) return;
    const [picture] = stream.getVideoTracks();
    const [sound] = stream.getAudioTracks();
    if (picture) await this.#room.publish(picture, { appData: { source: 'screen' } });
    if (sound) await this.#room.publish(sound, { appData: { source: 'screenAudio' } });
    picture?.addEventListener('ended', () => sound?.stop());
  }

  /** Ends with the room, which unpublishes everything. */
  close(): void {
    for (const stop of this.#stopListening) stop();
    for (const { track, appData } of this.#room.localTracks) if (appData.source === 'screen') track.stop();
  }

  #update(): void {
    for (const kind of ['microphone', 'camera'] as const) {
      const before = this.#work.get(kind) ?? Promise.resolve();
      // One change after another: a camera may be switched faster than it is published.
      this.#work.set(
        kind,
        before.then(() => this.#bringInLine(kind)).catch((error) => this.emit('failed', RoomError.from(error))),
      );
    }
  }

  async #bringInLine(kind: DeviceKind): Promise<void> {
    const { track } = this.#devices[kind];
    const published = this.#published.get(kind);
    if (published?.track === track || this.#room.state.status === 'closed') return;
    if (published) {
      this.#published.delete(kind);
      await published.close();
    }
    if (!track) return;
    this.#published.set(
      kind,
      await this.#room.publish(track, { appData: { source: kind }, simulcast: kind === 'camera' }),
    );
  }
}
