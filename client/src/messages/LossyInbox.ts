import { type Data, splitNumber } from './numbered.ts';

/** The start of the `protocol` of data channels with numbered messages; the sender's id follows. */
const PROTOCOL = 'mediasoup-server ';
/** How many numbers of a sender are kept: more than there are messages under way. */
const MOST_REMEMBERED = 1_024;

export const protocolOf = (senderId: string): string => PROTOCOL + senderId;

/** Drops the copies of messages that arrive over more than one data channel. */
export class LossyInbox {
  readonly #seen = new Map<string, Set<number>>();

  /**
   * @param protocol of the message's data channel
   * @returns the message; undefined for a copy of an earlier one
   */
  take(peerId: string, protocol: string, received: Data): Data | undefined {
    // Senders without the SDK do not number their messages.
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

  /** Forgets a peer that has left. */
  forget(peerId: string): void {
    for (const sender of [...this.#seen.keys()]) if (sender.startsWith(`${peerId} `)) this.#seen.delete(sender);
  }
}
