import { type Data, splitNumber } from './numbered.ts';

/** What the `protocol` of a data channel begins with whose messages are numbered; its sender's id follows. */
const PROTOCOL = 'mediasoup-server ';
/** How many numbers are remembered of a sender: more than there are on their way. */
const MOST_REMEMBERED = 1_024;

export const protocolOf = (senderId: string): string => PROTOCOL + senderId;

/** Lets each message through once, over however many connections it comes. */
export class LossyInbox {
  readonly #seen = new Map<string, Set<number>>();

  /**
   * @param protocol of the data channel that it came over
   * @returns what was sent; undefined where it has come before
   */
  take(peerId: string, protocol: string, received: Data): Data | undefined {
    // A sender without the SDK numbers nothing.
    if (!protocol.startsWith(PROTOCOL)) return received;
    const message = splitNumber(received);
    if (!message) return undefined;
    const sender = `${peerId} ${protocol}`;
    const seen = this.#seen.get(sender) ?? new Set();
    this.#seen.set(sender, seen);
    if (seen.has(message.number)) return undefined;
    seen.add(message.number);
    const [oldest] = seen;
    if (seen.size > MOST_REMEMBERED && oldest !== undefined) seen.delete(oldest);
    return message.data;
  }

  /** Remembers nothing more of a peer that has left. */
  forget(peerId: string): void {
    for (const sender of [...this.#seen.keys()]) if (sender.startsWith(`${peerId} `)) this.#seen.delete(sender);
  }
}
