/** Of how many senders the last number is remembered. */
const MOST_SENDERS = 4096;

/** Lets each reliable message through once, over however many connections it comes: each place sends them in order. */
export class ReliableInbox {
  readonly #last = new Map<string, number>();

  /** Whether a message of the sender is new. */
  take(peerId: string, senderId: string, number: number): boolean {
    // Both are names that users choose: no separator tells where one ends.
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
