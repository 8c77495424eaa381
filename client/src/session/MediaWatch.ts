/** How often what arrives is looked at, ms; hidden pages do so each second. */
const LOOK_MS = 100;
/**
 * How long nothing may arrive before the daemon is asked whether it is there, ms. Sound comes every 20 ms, 400 where nobody
 * speaks, and the question costs a hundred bytes. So it is asked soon, and the answer is given time.
 */
const SILENT_MS = 500;
/** How long after one question the next one is, ms at least: a screen may be sent once a second. */
const ASK_INTERVAL_MS = 2_000;

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
  /** When something was last seen to have arrived, ms; undefined before the first packet, and once silence is reported. */
  #arrivedAt: number | undefined;
  #askedAt = Number.NEGATIVE_INFINITY;

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
    const now = performance.now();
    const receivers = this.#expected();
    const sources = receivers.flatMap((receiver) => receiver.getSynchronizationSources());
    // One that is received no more changes this too, and begins a new silence.
    const seen = [receivers.length, ...sources.map(({ timestamp, rtpTimestamp }) => `${timestamp} ${rtpTimestamp}`)];
    const arrived = seen.join();
    if (arrived !== this.#seen) {
      this.#seen = arrived;
      this.#arrivedAt = sources.length > 0 ? now : undefined;
      return;
    }
    if (this.#arrivedAt === undefined || now - this.#arrivedAt < SILENT_MS) return;
    if (now - this.#askedAt < ASK_INTERVAL_MS) return;
    this.#arrivedAt = undefined;
    this.#askedAt = now;
    this.#silent();
  }
}
