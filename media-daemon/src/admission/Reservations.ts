/** How long a place is kept for a peer that was assigned here, ms: as long as its token lives. */
const RESERVATION_MS = 60_000;

/** Counts the peers that the control plane has assigned to this daemon and that are yet to come. */
export class Reservations {
  /** The control plane's count since the registration, each with the time when it was told. */
  #counts: { readonly at: number; readonly assigned: number }[] = [];
  /** The peers that have come, with the time when the first of their tokens was issued that keeps a place. */
  readonly #used = new Map<string, number>();

  /** The last count that was told. */
  get assigned(): number {
    return this.#counts.at(-1)?.assigned ?? 0;
  }

  /** @param now Unix time in milliseconds, as everywhere here. */
  update(assigned: number, now: number): void {
    this.#counts.push({ at: now, assigned });
    // The newest of the old ones is what the others are compared with.
    const firstKept = this.#counts.findIndex(({ at }) => at > now - RESERVATION_MS);
    if (firstKept > 1) this.#counts.splice(0, firstKept - 1);
  }

  /** Notes that an assigned peer has come. Another token of the same peer changes nothing while its place is kept. */
  use(roomId: string, peerId: string, issuedAt: number): void {
    const peer = JSON.stringify([roomId, peerId]);
    const former = this.#used.get(peer);
    if (former === undefined || issuedAt > former + RESERVATION_MS) this.#used.set(peer, issuedAt);
  }

  outstanding(now: number): number {
    for (const [token, issuedAt] of this.#used) if (issuedAt <= now - RESERVATION_MS) this.#used.delete(token);
    const [first] = this.#counts;
    const before = first && first.at <= now - RESERVATION_MS ? first.assigned : 0;
    return Math.max(0, this.assigned - before - this.#used.size);
  }

  /** A new registration counts from zero. */
  reset(): void {
    this.#counts = [];
    this.#used.clear();
  }
}
