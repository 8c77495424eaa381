import { TypedEmitter } from '../../src/events.ts';
import { type DeviceKind, type DeviceProblem, deviceProblem } from './deviceProblem.ts';
import { hasMediaDevices, openDevice } from './openDevice.ts';

/** How often to retry a device that is missing or in use, ms. Not all browsers report new devices. */
const RETRY_MS = 2000;

export type CaptureState =
  | { readonly status: 'off' }
  | { readonly status: 'starting' }
  | { readonly status: 'on'; readonly track: MediaStreamTrack }
  | { readonly status: 'failed'; readonly problem: DeviceProblem };

/**
 * This person's camera or microphone. A device that fails is opened again automatically when the cause is gone: when it is
 * plugged in, when another program stops using it, or when the person allows it.
 */
export class Capture extends TypedEmitter<{ changed: [] }> {
  readonly kind: DeviceKind;
  #state: CaptureState = { status: 'off' };
  #deviceId: string | undefined;
  /** Incremented when an attempt to open the device becomes outdated. */
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

  /** Whether the person has turned it on, whether or not it works. */
  get wanted(): boolean {
    return this.#state.status !== 'off';
  }

  /** The open device, or the preferred one. */
  get deviceId(): string | undefined {
    return this.track?.getSettings().deviceId ?? this.#deviceId;
  }

  /** @param together the track, if the device is opened together with another one */
  async start(together?: Promise<MediaStreamTrack | undefined>): Promise<void> {
    if (this.#state.status === 'on' || this.#state.status === 'starting') return;
    this.#become({ status: 'starting' });
    await this.#open('missing', together);
  }

  stop(): void {
    this.#become({ status: 'off' });
  }

  /** Changes to another device, at once if one is open. */
  async choose(deviceId: string): Promise<void> {
    this.#deviceId = deviceId;
    if (!this.wanted) return;
    this.#become({ status: 'starting' });
    await this.#open('missing');
  }

  #use(track: MediaStreamTrack): void {
    this.#become({ status: 'on', track });
    track.addEventListener('ended', () => {
      // Opens another device if there is one; else this one was unplugged.
      if (this.track === track) void this.#open('unplugged');
    });
  }

  /** @param whenMissing the problem to report if there is no device */
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

  /** Retries when the cause may be gone. */
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
      // Older versions of Firefox do not know these names; there the person has to click.
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
