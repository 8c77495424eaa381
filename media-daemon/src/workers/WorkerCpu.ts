import type { types } from 'mediasoup';

/** The CPU time that a worker has used, as of its last answer. */
export class WorkerCpu {
  #usedMs = 0;
  #ratio = 0;
  #toldAt: number | undefined;

  /** Since the worker started. */
  get seconds(): number {
    return this.#usedMs / 1000;
  }

  /** 0 to 1 of a core, between its last two answers. */
  get ratio(): number {
    return this.#ratio;
  }

  update({ ru_utime, ru_stime }: types.WorkerResourceUsage): void {
    const now = performance.now();
    const usedMs = ru_utime + ru_stime;
    // The first answer includes the start of the worker.
    if (this.#toldAt !== undefined) this.#ratio = (usedMs - this.#usedMs) / Math.max(now - this.#toldAt, 1);
    this.#usedMs = usedMs;
    this.#toldAt = now;
  }
}
