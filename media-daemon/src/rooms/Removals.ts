/** How long an assignment may be used, ms: a minute, and what clocks may differ by, with much to spare. */
const ASSIGNMENT_LIFE_MS = 600_000;

type Removal = { readonly at: number; readonly refusedUntil: number };

/** Whom commands have put out: peers, and everybody of a room that was closed. */
export class Removals {
  readonly #removals = new Map<string, Removal>();

  addRoom(roomId: string): void {
    this.#add(keyOf(roomId), 0);
  }

  /** @param refuseForMs milliseconds for which the peer is not let in again. */
  addPeer(roomId: string, peerId: string, refuseForMs: number): void {
    this.#add(keyOf(roomId, peerId), refuseForMs);
  }

  /**
   * Whether the peer was put out since then, or everybody was: an assignment of then lets it in no more.
   *
   * @param then Unix time in ms.
   */
  hasBeenSince(then: number, roomId: string, peerId: string): boolean {
    return [keyOf(roomId), keyOf(roomId, peerId)].some((key) => then <= (this.#removals.get(key)?.at ?? 0));
  }

  /** Whether the peer is not to be let in, by whatever right it comes. */
  isRefused(roomId: string, peerId: string): boolean {
    return Date.now() < (this.#removals.get(keyOf(roomId, peerId))?.refusedUntil ?? 0);
  }

  #add(key: string, refuseForMs: number): void {
    const now = Date.now();
    for (const [old, { at, refusedUntil }] of this.#removals)
      if (Math.max(at + ASSIGNMENT_LIFE_MS, refusedUntil) < now) this.#removals.delete(old);
    this.#removals.set(key, { at: now, refusedUntil: now + refuseForMs });
  }
}

const keyOf = (...ids: string[]): string => JSON.stringify(ids);
