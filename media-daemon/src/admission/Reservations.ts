/** How long a reservation lasts, ms: as long as the token of the assignment. */
const RESERVATION_MS = 60_000;

/** Counts the peers that the control plane has assigned to this daemon and that have not joined yet. */
export class Reservations {
  /** The control plane's counts of assigned peers since the registration, each with the time of its arrival. */
  #counts: { readonly at: number; readonly assigned: number }[] = [];
  /** The peers that have joined, with the issue time of the token that made their reservation. */
  readonly #used = new Map<string, number>();

  /** The last count. */
  get assigned(): number {
    return this.#counts.at(-1)?.assigned ?? 0;
  }

  /** @param now Unix time in milliseconds, as everywhere here. */
  update(assigned: number, now: number): void {
    this.#counts.push({ at: now, assigned });
    // The newest of the expired counts stays: the others are compared with it.
    const firstKept = this.#counts.findIndex(({ at }) => at > now - RESERVATION_MS);
    if (firstKept > 1) this.#counts.splice(0, firstKept - 1);
  }

  /** Uses the reservation of a peer that joins. Another token of the same peer changes nothing while it lasts. */
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

  /** Starts from zero, as the control plane does after a new registration. */
  reset(): void {
    this.#counts = [];
    this.#used.clear();
  }
}
