import type { RoomError } from '../errors.ts';

/** How often the daemon is pinged, since a browser does not see WebSocket pings, ms. */
const INTERVAL_MS = 5_000;
/** How long it may take to answer, ms. */
const TIMEOUT_MS = 3_000;
/**
 * How long it may take where its media has stopped, ms: as long as a few answers before, so that video goes on within 2.5 s. That is half a
 * second of silence and this, half a second in which the control plane probes the daemon, and the next join. A false alarm
 * costs a socket alone, since the probe finds the daemon.
 */
const SUSPECT = { answers: 4, leastMs: 400, mostMs: 900 };
/** A timer that is later than this was held up by a busy or hidden page, which gets as long to read the answer, ms. */
const BUSY_MS = 100;

/** Pings the daemon over one socket, and notices when it does not answer. */
export class Heartbeat {
  readonly #ping: () => Promise<unknown>;
  readonly #silent: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;
  /** How long the latest answer took, ms. */
  #answerMs: number;

  /**
   * @param ping sends a ping; rejects with the daemon's error where it answers with one
   * @param silent the daemon did not answer in time
   * @param answerMs how long its answer to `joinRoom` took
   */
  constructor(ping: () => Promise<unknown>, silent: () => void, answerMs: number) {
    this.#ping = ping;
    this.#silent = silent;
    this.#answerMs = answerMs;
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
    const sentAt = performance.now();
    const answered = (): void => {
      this.#answerMs = performance.now() - sentAt;
      this.#schedule();
    };
    // A refusal is an answer too.
    this.#ping().then(answered, ({ status }: RoomError) => status !== undefined && answered());
  }

  /** Pings now, because media has stopped. */
  suspect(): void {
    const { answers, leastMs, mostMs } = SUSPECT;
    this.probe(Math.min(Math.max(answers * this.#answerMs, leastMs), mostMs));
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
