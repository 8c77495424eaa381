import { type Rate, TokenBucket } from '../admission/TokenBucket.ts';
import { RequestError } from '../errors.ts';

/** How fast peers may make the daemon notify a whole room. */
export type AnnouncementLimits = {
  readonly announcementsPerSecond: number;
  readonly announcementBurst: number;
  readonly roomUpdatesPerSecond: number;
  readonly roomUpdateBurst: number;
};

/** An announcement costs one token, and one more for each so many bytes of application data. */
const BYTES_A_TOKEN = 1024;
/** The number of buckets from which on full ones are deleted. */
const LEAST_SWEEP = 64;

/**
 * Limits what peers make the daemon send to everybody else in the room. A peer id keeps its limit when the peer leaves and
 * joins again. A pause, a close or leaving costs nothing: each follows an announcement that was counted.
 */
export class AnnouncementRates {
  readonly #rate: Rate;
  readonly #roomRate: Rate;
  readonly #byPeerId = new Map<string, TokenBucket>();
  readonly #updates: TokenBucket;
  #sweepAt = LEAST_SWEEP;

  constructor(limits: AnnouncementLimits) {
    this.#rate = { perSecond: limits.announcementsPerSecond, burst: limits.announcementBurst };
    this.#roomRate = { perSecond: limits.roomUpdatesPerSecond, burst: limits.roomUpdateBurst };
    this.#updates = new TokenBucket(this.#roomRate);
  }

  /**
   * Counts what a peer is about to announce: itself, a producer, a data producer, or that it resumes one.
   *
   * @throws RequestError 429 when it announces too much.
   */
  announce(peerId: string, appData: object = {}): void {
    if (this.#bucketOf(peerId).take(costOf(appData))) return;
    const reason = `announcementRate: more than ${this.#rate.perSecond} announcements to the room a second, or too long ones`;
    throw new RequestError('TOO_MANY_REQUESTS', reason, { limit: 'announcementRate' });
  }

  /**
   * Counts a change of a peer's application data. All peers of the room share a second limit for it.
   *
   * @throws RequestError 429 when the peer, or the room, announces too much.
   */
  update(peerId: string, appData: object): void {
    this.announce(peerId, appData);
    if (this.#updates.take(costOf(appData))) return;
    const reason = `roomUpdateRate: more than ${this.#roomRate.perSecond} updates in the room a second, or too long ones`;
    throw new RequestError('TOO_MANY_REQUESTS', reason, { limit: 'roomUpdateRate' });
  }

  #bucketOf(peerId: string): TokenBucket {
    const known = this.#byPeerId.get(peerId);
    if (known) return known;
    if (this.#byPeerId.size >= this.#sweepAt) this.#sweep();
    const bucket = new TokenBucket(this.#rate);
    this.#byPeerId.set(peerId, bucket);
    return bucket;
  }

  #sweep(): void {
    const now = performance.now();
    for (const [peerId, bucket] of this.#byPeerId) if (bucket.isFull(now)) this.#byPeerId.delete(peerId);
    this.#sweepAt = Math.max(LEAST_SWEEP, 2 * this.#byPeerId.size);
  }
}

const costOf = (appData: object): number => 1 + JSON.stringify(appData).length / BYTES_A_TOKEN;
