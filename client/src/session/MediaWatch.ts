/** How often what arrives is looked at, ms. */
const LOOK_MS = 250;
/** How long nothing may arrive before the daemon is asked whether it is there, ms. */
const SILENT_MS = 1_000;

/** One receiver of the browser, as far as it is watched. */
export interface WatchedReceiver {
  getSynchronizationSources(): readonly { readonly timestamp: number; readonly rtpTimestamp?: number }[];
}

/**
 * Notices that no media of any track arrives although some should. It looks at the time of each receiver's last packet,
 * which the browser has at hand: `getStats` collects everything and would cost more than the rest of the SDK. Silence may
 * be legitimate, of a still screen for example, so that it only leads to a question, once until media arrives again.
 */
export class MediaWatch {
  readonly #expected: () => readonly WatchedReceiver[];
  readonly #silent: () => void;
  readonly #timer: ReturnType<typeof setInterval>;
  #seen = '';
  /** How long nothing has arrived, ms; undefined before the first packet, and once silence is reported. */
  #silentMs: number | undefined;

  /** @param expected the receivers whose media should arrive now */
  constructor(expected: () => readonly WatchedReceiver[], silent: () => void) {
    this.#expected = expected;
    this.#silent = silent;
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const receivers = this.#expected();
    const sources = receivers.flatMap((receiver) => receiver.getSynchronizationSources());
    // One that is received no more changes this too, and begins a new second.
    const seen = [receivers.length, ...sources.map(({ timestamp, rtpTimestamp }) => `${timestamp} ${rtpTimestamp}`)];
    const arrived = seen.join();
    if (arrived !== this.#seen) {
      this.#seen = arrived;
      this.#silentMs = sources.length > 0 ? 0 : undefined;
      return;
    }
    if (this.#silentMs === undefined) return;
    this.#silentMs += LOOK_MS;
    if (this.#silentMs < SILENT_MS) return;
    this.#silentMs = undefined;
    this.#silent();
  }
}
