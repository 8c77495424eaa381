/** How long after a value the next one is passed on, ms. */
const INTERVAL_MS = 500;

/**
 * Passes on a value at once, and while more follow the latest of them at intervals: packets of one peer can change the
 * layers that others receive thousands of times a second.
 */
export class Paced<T> {
  readonly #pass: (value: T) => void;
  #timer: NodeJS.Timeout | undefined;
  #waiting: { readonly value: T } | undefined;

  constructor(pass: (value: T) => void) {
    this.#pass = pass;
  }

  push(value: T): void {
    if (this.#timer) {
      this.#waiting = { value };
      return;
    }
    this.#timer = setTimeout(() => this.#elapsed(), INTERVAL_MS);
    this.#pass(value);
  }

  /** Passes on nothing more. */
  close(): void {
    clearTimeout(this.#timer);
    this.#waiting = undefined;
  }

  #elapsed(): void {
    this.#timer = undefined;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting) this.push(waiting.value);
  }
}
