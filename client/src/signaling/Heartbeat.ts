import type { RoomError } from '../errors.ts';

/** How often the daemon is pinged, since a browser does not see WebSocket pings, ms. */
const INTERVAL_MS = 5_000;
/** How long it may take to answer, ms. */
const TIMEOUT_MS = 3_000;
/** A timer that is later than this was held up by a busy or hidden page, which gets as long to read the answer, ms. */
const BUSY_MS = 100;

/** Pings the daemon over one socket, and notices when it does not answer. */
export class Heartbeat {
  readonly #ping: () => Promise<unknown>;
  readonly #silent: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;

  /**
   * @param ping sends a ping; rejects with the daemon's error where it answers with one
   * @param silent the daemon did not answer in time
   */
  constructor(ping: () => Promise<unknown>, silent: () => void) {
    this.#ping = ping;
    this.#silent = silent;
    this.#schedule();
  }

  /** Pings now. */
  probe(timeoutMs: number = TIMEOUT_MS): void {
    if (this.#stopped) return;
    clearTimeout(this.#timer);
    const due = performance.now() + timeoutMs;
    this.#timer = setTimeout(() => {
      if (performance.now() - due > BUSY_MS) this.#timer = setTimeout(this.#silent, BUSY_MS);
      else this.#silent();
    }, timeoutMs);
    this.#ping().then(
      () => this.#schedule(),
      // A refusal is an answer too.
      ({ status }: RoomError) => status !== undefined && this.#schedule(),
    );
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    if (this.#stopped) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.probe(), INTERVAL_MS);
  }
}
