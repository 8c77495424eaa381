import { monitorEventLoopDelay, performance } from 'node:perf_hooks';

/** How the event loop was held up, ms. */
export type EventLoopDelay = {
  /** How long the turn of the loop is that something comes into, on average over time; 0 where that is next to nothing. */
  readonly meanMs: number;
  /** The longest turn. */
  readonly longestMs: number;
};

/** Delays below this are next to nothing, ms: heartbeats tell whole milliseconds. */
const NEXT_TO_NOTHING_MS = 0.5;

/** Looks at the event loop once in each of its turns: a timer would wake the process, idle or not, as often as it looks. */
export class EventLoopWatch {
  readonly #turns = monitorEventLoopDelay({ samplePerIteration: true });
  #since = performance.now();
  #used = performance.eventLoopUtilization();

  constructor() {
    this.#turns.enable();
  }

  /** What it was like since the last asking. */
  take(): EventLoopDelay {
    const elapsedMs = Math.max(performance.now() - this.#since, 1);
    this.#since += elapsedMs;
    const used = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(used, this.#used);
    this.#used = used;
    const longestMs = this.#turns.count === 0 ? 0 : this.#turns.max / 1e6;
    // Not more than if all turns were as long. To know it would take more than all else that an idle daemon does.
    const meanMs = longestMs * utilization < NEXT_TO_NOTHING_MS ? 0 : this.#squares() / elapsedMs;
    this.#turns.reset();
    return { meanMs, longestMs };
  }

  /** Of how long the turns were: one twice as long is twice as long for twice as many that come. */
  #squares(): number {
    const { count, mean, stddev } = this.#turns;
    return (count * (mean ** 2 + stddev ** 2)) / 1e12;
  }

  close(): void {
    this.#turns.disable();
  }
}
