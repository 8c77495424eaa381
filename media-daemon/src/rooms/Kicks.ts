import { RequestError } from '../errors.ts';

/** How long an assignment may be used, ms: a minute, and what clocks may differ by, with much to spare. */
const ASSIGNMENT_LIFE_MS = 600_000;

/** The removal of a peer, or of everybody in a room that a backend closed. */
export type Kick = {
  /** Unix time in ms, as the next one. */
  readonly at: number;
  readonly bannedUntil: number;
  /**
   * The last epoch whose assignments are void. All are, until the control plane acknowledges the kick and raises the
   * room's epoch, which tells assignments before from those after without any clock.
   */
  voidTo: number;
};

/** The peers that backends have removed, and the rooms that they have closed. */
export class Kicks {
  readonly #kicks = new Map<string, Kick>();

  addRoom(roomId: string): void {
    this.#add(keyOf(roomId), 0);
  }

  /** @param banMs milliseconds for which the peer is not let in again. */
  addPeer(roomId: string, peerId: string, banMs: number): void {
    this.#add(keyOf(roomId, peerId), banMs);
  }

  /** The last kick of a peer, or of a whole room without `peerId`. */
  find(roomId: string, peerId?: string): Kick | undefined {
    return this.#kicks.get(peerId === undefined ? keyOf(roomId) : keyOf(roomId, peerId));
  }

  /** Whether an assignment of this epoch does not let the peer in any more, since it or the whole room was removed. */
  isVoid(epoch: number, roomId: string, peerId: string): boolean {
    return [keyOf(roomId), keyOf(roomId, peerId)].some((key) => epoch <= (this.#kicks.get(key)?.voidTo ?? 0));
  }

  /** @throws RequestError 403 for a peer that is banned, whatever token it has. */
  checkBan(roomId: string, peerId: string): void {
    if (Date.now() < (this.#kicks.get(keyOf(roomId, peerId))?.bannedUntil ?? 0))
      throw new RequestError('PEER_REMOVED', 'the peer was removed from the room');
  }

  #add(key: string, banMs: number): void {
    const now = Date.now();
    for (const [old, { at, bannedUntil }] of this.#kicks)
      if (Math.max(at + ASSIGNMENT_LIFE_MS, bannedUntil) < now) this.#kicks.delete(old);
    this.#kicks.set(key, { at: now, bannedUntil: now + banMs, voidTo: Number.POSITIVE_INFINITY });
  }
}

const keyOf = (...ids: string[]): string => JSON.stringify(ids);
