/** How often something may happen: `burst` times at once, then `perSecond` times a second. */
export type Rate = { readonly perSecond: number; readonly burst: number };

/** Limits a rate (token bucket). */
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
   * Takes tokens if at least one is left; taking more than are left makes a debt. A refusal costs nothing, so a client
   * that keeps trying still gets its rate.
   */
  take(tokens: number, now: number = performance.now()): boolean {
    this.#refill(now);
    if (this.#tokens < 1) return false;
    this.#tokens -= tokens;
    return true;
  }

  /** Whether the bucket has refilled completely. */
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
