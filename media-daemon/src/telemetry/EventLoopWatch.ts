import { monitorEventLoopDelay, performance } from 'node:perf_hooks';

/** How the event loop was held up, ms. */
export type EventLoopDelay = {
  /** How long the turn of the loop is that something comes into, on average over time; 0 while it sleeps. */
  readonly meanMs: number;
  /** The longest turn. */
  readonly longestMs: number;
};

/** Looks at the event loop once in each of its turns: a timer would wake the process, idle or not, as often as it looks. */
export class EventLoopWatch {
  readonly #turns = monitorEventLoopDelay({ samplePerIteration: true });
  #since = performance.now();

  constructor() {
    this.#turns.enable();
  }

  /** What it was like since the last asking. */
  take(): EventLoopDelay {
    const { count, mean, stddev, max } = this.#turns;
    const elapsedMs = Math.max(performance.now() - this.#since, 1);
    this.#since += elapsedMs;
    this.#turns.reset();
    if (count === 0) return { meanMs: 0, longestMs: 0 };
    // A turn twice as long is twice as long for twice as many that come.
    const squares = (count * (mean ** 2 + stddev ** 2)) / 1e12;
    return { meanMs: squares / elapsedMs, longestMs: max / 1e6 };
  }

  close(): void {
    this.#turns.disable();
  }
}
