import { type Rate, TokenBucket } from '../admission/TokenBucket.ts';

/** The number of buckets from which on full ones are deleted. */
const LEAST_SWEEP = 64;

/** A token bucket for each peer id of a room. A peer keeps its bucket when it leaves and joins again. */
export class PeerBuckets {
  readonly rate: Rate;
  readonly #byPeerId = new Map<string, TokenBucket>();
  #sweepAt = LEAST_SWEEP;

  constructor(rate: Rate) {
    this.rate = rate;
  }

  of(peerId: string): TokenBucket {
    const known = this.#byPeerId.get(peerId);
    if (known) return known;
    if (this.#byPeerId.size >= this.#sweepAt) this.#sweep();
    const bucket = new TokenBucket(this.rate);
    this.#byPeerId.set(peerId, bucket);
    return bucket;
  }

  #sweep(): void {
    const now = performance.now();
    for (const [peerId, bucket] of this.#byPeerId) if (bucket.isFull(now)) this.#byPeerId.delete(peerId);
    this.#sweepAt = Math.max(LEAST_SWEEP, 2 * this.#byPeerId.size);
  }
}
