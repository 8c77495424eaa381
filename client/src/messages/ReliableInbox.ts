/** How many senders the inbox knows at most. */
const MOST_SENDERS = 4096;

/** Drops the copies of reliable messages, which each daemon delivers in order. */
export class ReliableInbox {
  readonly #last = new Map<string, number>();

  /** Whether a message is new. */
  take(peerId: string, senderId: string, number: number): boolean {
    // Applications choose both ids, so that no separator is safe.
    const sender = JSON.stringify([peerId, senderId]);
    const last = this.#last.get(sender);
    if (last !== undefined && number <= last) return false;
    this.#last.delete(sender);
    this.#last.set(sender, number);
    const [longest] = this.#last.keys();
    if (this.#last.size > MOST_SENDERS && longest !== undefined) this.#last.delete(longest);
    return true;
  }
}
