/** How often something may happen: so many times at once, and then so many times a second. */
export type Rate = { readonly perSecond: number; readonly burst: number };

/** Counts against a rate. */
export class TokenBucket {
  readonly #rate: Rate;
  #tokens: number;
  #at: number;

  /** @param now milliseconds of a clock that only goes forward. */
  constructor(rate: Rate, now: number = performance.now()) {
    this.#rate = rate;
    this.#tokens = rate.burst;
    this.#at = now;
  }

  /**
   * Takes tokens, where there is one at all; what costs more than there is leaves a debt. What is refused costs
   * nothing, so that whoever goes on trying gets its share.
   */
  take(tokens: number, now: number = performance.now()): boolean {
    this.#refill(now);
    if (this.#tokens < 1) return false;
    this.#tokens -= tokens;
    return true;
  }

  /** Whether nothing was taken for so long that the bucket is like new. */
  isFull(now: number = performance.now()): boolean {
    this.#refill(now);
    return this.#tokens === this.#rate.burst;
  }

  #refill(now: number): void {
    const { perSecond, burst } = this.#rate;
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#at) / 1000) * perSecond);
    this.#at = now;
  }
}
