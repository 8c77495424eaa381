import { monitorEventLoopDelay, performance } from 'node:perf_hooks';

/** Delays of the event loop, ms. */
export type EventLoopDelay = {
  /** The length of the loop's turn at a random moment, averaged over time; 0 when negligible. */
  readonly meanMs: number;
  /** The longest turn. */
  readonly longestMs: number;
};

/** Delays below this are negligible, ms: heartbeats carry whole milliseconds. */
const NEXT_TO_NOTHING_MS = 0.5;

/** Measures the event loop once in each of its turns. A timer would wake an idle process at each measurement. */
export class EventLoopWatch {
  readonly #turns = monitorEventLoopDelay({ samplePerIteration: true });
  #since = performance.now();
  #used = performance.eventLoopUtilization();

  constructor() {
    this.#turns.enable();
  }

  /** The delays since the previous call. */
  take(): EventLoopDelay {
    const elapsedMs = Math.max(performance.now() - this.#since, 1);
    this.#since += elapsedMs;
    const used = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(used, this.#used);
    this.#used = used;
    const longestMs = this.#turns.count === 0 ? 0 : this.#turns.max / 1e6;
    // An upper bound, as if all turns were as long. The exact value would cost more than all else that an idle daemon does.
    const meanMs = longestMs * utilization < NEXT_TO_NOTHING_MS ? 0 : this.#squares() / elapsedMs;
    this.#turns.reset();
    return { meanMs, longestMs };
  }

  /** Turn lengths weighted by themselves: a turn twice as long delays twice as many events by twice as much. */
  #squares(): number {
    const { count, mean, stddev } = this.#turns;
    return (count * (mean ** 2 + stddev ** 2)) / 1e12;
  }

  close(): void {
    this.#turns.disable();
  }
}
