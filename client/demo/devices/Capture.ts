import { TypedEmitter } from '../../src/events.ts';
import { type DeviceKind, type DeviceProblem, deviceProblem } from './deviceProblem.ts';
import { hasMediaDevices, openDevice } from './openDevice.ts';

/** How often a device that is missing or in use is asked for again, ms. Not every browser tells when one is plugged in. */
const RETRY_MS = 2000;

export type CaptureState =
  | { readonly status: 'off' }
  | { readonly status: 'starting' }
  | { readonly status: 'on'; readonly track: MediaStreamTrack }
  | { readonly status: 'failed'; readonly problem: DeviceProblem };

/**
 * This person's camera or microphone. One that fails is opened again by itself when the cause has gone: when it is plugged
 * in, when the other program lets go of it, when the person allows it.
 */
export class Capture extends TypedEmitter<{ changed: [] }> {
  readonly kind: DeviceKind;
  #state: CaptureState = { status: 'off' };
  #deviceId: string | undefined;
  /** Raised by whatever makes an attempt to open the device outdated. */
  #attempt = 0;
  #stopWaiting = () => {};

  constructor(kind: DeviceKind, deviceId?: string) {
    super();
    this.kind = kind;
    this.#deviceId = deviceId;
  }

  get state(): CaptureState {
    return this.#state;
  }

  get track(): MediaStreamTrack | undefined {
    return this.#state.status === 'on' ? this.#state.track : undefined;
  }

  /** Whether the person wants it, be it there or not. */
  get wanted(): boolean {
    return this.#state.status !== 'off';
  }

  /** The device that is open, or is preferred. */
  get deviceId(): string | undefined {
    return this.track?.getSettings().deviceId ?? this.#deviceId;
  }

  /** @param together the track, where it is being opened together with another device; without one it is opened alone */
  async start(together?: Promise<MediaStreamTrack | undefined>): Promise<void> {
    if (this.#state.status === 'on' || this.#state.status === 'starting') return;
    this.#become({ status: 'starting' });
    await this.#open('missing', together);
  }

  stop(): void {
    this.#become({ status: 'off' });
  }

  /** Changes to another device, at once where one is open. */
  async choose(deviceId: string): Promise<void> {
    this.#deviceId = deviceId;
    if (!this.wanted) return;
    this.#become({ status: 'starting' });
    await this.#open('missing');
  }

  #use(track: MediaStreamTrack): void {
    this.#become({ status: 'on', track });
    track.addEventListener('ended', () => {
      // Another device may be there; if not, this one was pulled out.
      if (this.track === track) void this.#open('unplugged');
    });
  }

  /** @param whenMissing what is told when there is no device */
  async #open(whenMissing: DeviceProblem, together?: Promise<MediaStreamTrack | undefined>): Promise<void> {
    const attempt = ++this.#attempt;
    try {
      if (!hasMediaDevices()) return this.#fail('insecure');
      const track = (await together) ?? (await openDevice(this.kind, this.#deviceId));
      if (attempt === this.#attempt) this.#use(track);
      else track.stop();
    } catch (error) {
      if (attempt !== this.#attempt) return;
      const problem = deviceProblem((error as Error).name);
      this.#fail(problem === 'missing' ? whenMissing : problem);
    }
  }

  #fail(problem: DeviceProblem): void {
    const told = this.#state.status === 'failed' && this.#state.problem === problem;
    if (told) this.#wait(problem);
    else this.#become({ status: 'failed', problem });
  }

  #become(state: CaptureState): void {
    this.#attempt++;
    this.#stopWaiting();
    if (this.#state.status === 'on') this.#state.track.stop();
    this.#state = state;
    if (state.status === 'failed') this.#wait(state.problem);
    this.emit('changed');
  }

  /** Tries again when the cause may have gone. */
  #wait(problem: DeviceProblem): void {
    this.#stopWaiting();
    if (problem === 'insecure') return;
    const waiting = new AbortController();
    const again = () => {
      waiting.abort();
      void this.#open(problem === 'unplugged' ? 'unplugged' : 'missing');
    };
    const { signal } = waiting;
    if (problem === 'denied') {
      // Firefox once did not know these names; there the person's click is the only way.
      navigator.permissions?.query({ name: this.kind as PermissionName }).then(
        (permission) => {
          if (signal.aborted) return;
          if (permission.state === 'granted') again();
          else permission.addEventListener('change', () => permission.state !== 'denied' && again(), { signal });
        },
        () => {},
      );
    } else {
      const timer = setTimeout(again, RETRY_MS);
      signal.addEventListener('abort', () => clearTimeout(timer));
      navigator.mediaDevices.addEventListener('devicechange', again, { signal });
    }
    this.#stopWaiting = () => waiting.abort();
  }
}
