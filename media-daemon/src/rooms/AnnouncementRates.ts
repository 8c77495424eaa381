import { TokenBucket } from '../admission/TokenBucket.ts';
import { RequestError } from '../errors.ts';
import { PeerBuckets } from './PeerBuckets.ts';

/** How fast peers may make the daemon notify a whole room. */
export type AnnouncementLimits = {
  readonly announcementsPerSecond: number;
  readonly announcementBurst: number;
  readonly roomUpdatesPerSecond: number;
  readonly roomUpdateBurst: number;
};

/** An announcement costs one token, and one more for each so many bytes of application data. */
const BYTES_A_TOKEN = 1024;
/** The cost from which on application data is long: it has more than a KiB. */
const LONG_COST = 2;

/**
 * Limits what peers make the daemon send to everybody else in the room. A peer id keeps its limit when the peer leaves and
 * joins again. A pause, a close or leaving costs nothing: each follows an announcement that was counted.
 */
export class AnnouncementRates {
  readonly #peers: PeerBuckets;
  readonly #limits: AnnouncementLimits;
  readonly #room: TokenBucket;

  constructor(limits: AnnouncementLimits) {
    this.#limits = limits;
    this.#peers = new PeerBuckets({ perSecond: limits.announcementsPerSecond, burst: limits.announcementBurst });
    this.#room = new TokenBucket({ perSecond: limits.roomUpdatesPerSecond, burst: limits.roomUpdateBurst });
  }

  /**
   * Counts what a peer is about to announce: itself, a producer, a data producer, or that it resumes one. Application data
   * counts for the room as well if it is long: short data never keeps anybody out of a room whose peers send too much.
   *
   * @throws RequestError 429 when the peer, or the room, announces too much.
   */
  announce(peerId: string, appData: object = {}): void {
    const cost = costOf(appData);
    this.#countForPeer(peerId, cost);
    if (cost > LONG_COST) this.#countForRoom(cost);
  }

  /**
   * Counts a change of a peer's application data. All peers of the room share a second limit for it.
   *
   * @throws RequestError 429 when the peer, or the room, announces too much.
   */
  update(peerId: string, appData: object): void {
    const cost = costOf(appData);
    this.#countForPeer(peerId, cost);
    this.#countForRoom(cost);
  }

  #countForPeer(peerId: string, cost: number): void {
    if (this.#peers.of(peerId).take(cost)) return;
    const { announcementsPerSecond } = this.#limits;
    const reason = `announcementRate: more than ${announcementsPerSecond} announcements to the room a second, or too long ones`;
    throw new RequestError('TOO_MANY_REQUESTS', reason, { limit: 'announcementRate' });
  }

  #countForRoom(cost: number): void {
    if (this.#room.take(cost)) return;
    const { roomUpdatesPerSecond } = this.#limits;
    const reason = `roomUpdateRate: more than ${roomUpdatesPerSecond} updates in the room a second, or too long ones`;
    throw new RequestError('TOO_MANY_REQUESTS', reason, { limit: 'roomUpdateRate' });
  }
}

const costOf = (appData: object): number => 1 + JSON.stringify(appData).length / BYTES_A_TOKEN;
