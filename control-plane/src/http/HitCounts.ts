import type { ClientRateLimitInfo, Store } from 'express-rate-limit';

/**
 * Counts the requests of each client within its window, in this process's memory. Unlike express-rate-limit's own store it
 * has no timer, which a frozen Lambda function would not run: a later request removes expired counts.
 */
export class HitCounts implements Store {
  readonly localKeys = true;
  readonly #windowMs: number;
  readonly #counts = new Map<string, { totalHits: number; resetTime: Date }>();
  #sweepAt = 0;

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** @returns the count of a client's present window. */
  get(key: string): ClientRateLimitInfo | undefined {
    const count = this.#counts.get(key);
    return count && count.resetTime.getTime() > Date.now() ? count : undefined;
  }

  increment(key: string): ClientRateLimitInfo {
    const now = Date.now();
    this.#sweep(now);
    const { totalHits = 0, resetTime = new Date(now + this.#windowMs) } = this.get(key) ?? {};
    const count = { totalHits: totalHits + 1, resetTime };
    this.#counts.set(key, count);
    return count;
  }

  decrement(key: string): void {
    const count = this.#counts.get(key);
    if (count && count.totalHits > 0) count.totalHits--;
  }

  resetKey(key: string): void {
    this.#counts.delete(key);
  }

  #sweep(now: number): void {
    if (now < this.#sweepAt) return;
    for (const [key, { resetTime }] of this.#counts) if (resetTime.getTime() <= now) this.#counts.delete(key);
    this.#sweepAt = now + this.#windowMs;
  }
}
