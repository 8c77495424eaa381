import { RequestError } from '../errors.ts';

/** How long an assignment may be used, ms: a minute, and what clocks may differ by, with much to spare. */
const ASSIGNMENT_LIFE_MS = 600_000;

/** Somebody who was put out, or everybody of a room that was closed. */
export type Kick = {
  /** Unix time in ms, as the next one. */
  readonly at: number;
  readonly bannedUntil: number;
  /**
   * The last epoch whose assignments are void. All are until the control plane has acknowledged the kick, by which
   * it raises the room's epoch: what was assigned before is told from what was assigned after without any clock.
   */
  voidTo: number;
};

/** Whom commands have put out: peers, and everybody of a room that was closed. */
export class Kicks {
  readonly #kicks = new Map<string, Kick>();

  addRoom(roomId: string): Kick {
    return this.#add(keyOf(roomId), 0);
  }

  /** @param refuseForMs milliseconds for which the peer is not let in again. */
  addPeer(roomId: string, peerId: string, refuseForMs: number): Kick {
    return this.#add(keyOf(roomId, peerId), refuseForMs);
  }

  /** Whether an assignment of this epoch lets the peer in no more, since it was put out, or everybody was. */
  isVoid(epoch: number, roomId: string, peerId: string): boolean {
    return [keyOf(roomId), keyOf(roomId, peerId)].some((key) => epoch <= (this.#kicks.get(key)?.voidTo ?? 0));
  }

  /** @throws RequestError 403 for a peer that is not to be let in, by whatever right it comes. */
  checkBan(roomId: string, peerId: string): void {
    if (Date.now() < (this.#kicks.get(keyOf(roomId, peerId))?.bannedUntil ?? 0))
      throw new RequestError(403, 'the peer was removed from the room');
  }

  #add(key: string, refuseForMs: number): Kick {
    const now = Date.now();
    for (const [old, { at, bannedUntil }] of this.#kicks)
      if (Math.max(at + ASSIGNMENT_LIFE_MS, bannedUntil) < now) this.#kicks.delete(old);
    const kick = { at: now, bannedUntil: now + refuseForMs, voidTo: Number.POSITIVE_INFINITY };
    this.#kicks.set(key, kick);
    return kick;
  }
}

const keyOf = (...ids: string[]): string => JSON.stringify(ids);
