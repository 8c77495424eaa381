import { RequestError } from '../errors.ts';

/** How long an assignment may be used, ms: a minute, and what clocks may differ by, with much to spare. */
const ASSIGNMENT_LIFE_MS = 600_000;

/** Somebody who was put out, or everybody of a room that was closed. */
export type Removal = {
  /** Unix time in ms, as the next one. */
  readonly at: number;
  readonly refusedUntil: number;
  /**
   * The last epoch whose assignments are void. All are until the control plane has acknowledged the removal, by which
   * it raises the room's epoch: what was assigned before is told from what was assigned after without any clock.
   */
  voidTo: number;
};

/** Whom commands have put out: peers, and everybody of a room that was closed. */
export class Removals {
  readonly #removals = new Map<string, Removal>();

  addRoom(roomId: string): Removal {
    return this.#add(keyOf(roomId), 0);
  }

  /** @param refuseForMs milliseconds for which the peer is not let in again. */
  addPeer(roomId: string, peerId: string, refuseForMs: number): Removal {
    return this.#add(keyOf(roomId, peerId), refuseForMs);
  }

  /** Whether an assignment of this epoch lets the peer in no more, since it was put out, or everybody was. */
  isVoid(epoch: number, roomId: string, peerId: string): boolean {
    return [keyOf(roomId), keyOf(roomId, peerId)].some((key) => epoch <= (this.#removals.get(key)?.voidTo ?? 0));
  }

  /** @throws RequestError 403 for a peer that is not to be let in, by whatever right it comes. */
  checkRefusal(roomId: string, peerId: string): void {
    if (Date.now() < (this.#removals.get(keyOf(roomId, peerId))?.refusedUntil ?? 0))
      throw new RequestError(403, 'the peer was removed from the room');
  }

  #add(key: string, refuseForMs: number): Removal {
    const now = Date.now();
    for (const [old, { at, refusedUntil }] of this.#removals)
      if (Math.max(at + ASSIGNMENT_LIFE_MS, refusedUntil) < now) this.#removals.delete(old);
    const removal = { at: now, refusedUntil: now + refuseForMs, voidTo: Number.POSITIVE_INFINITY };
    this.#removals.set(key, removal);
    return removal;
  }
}

const keyOf = (...ids: string[]): string => JSON.stringify(ids);
