import { RequestError } from '../errors.ts';
import { bytesOf, type Message, type MessageLog } from '../rooms/MessageLog.ts';
import type { PeerBuckets } from '../rooms/PeerBuckets.ts';
import type { Grants } from './Grants.ts';

/** Takes the messages of a peer: its socket, which may be slow. */
export type Inbox = {
  /** Whether it takes more now. */
  isReady(): boolean;
  deliver(message: Message): void;
  /** @param count how many messages were dropped before the peer could be sent them; some may have been for others. */
  missed(count: number): void;
};

/** A message that a peer sends, and to whom: to all others without `to`. */
export type Sending = Omit<Message, 'peerId' | 'sequence'> & {
  /** The number of the message before it. */
  readonly after?: number | undefined;
  readonly to?: readonly string[] | undefined;
};

type Context = {
  readonly id: string;
  readonly grants: Grants;
  readonly announced: boolean;
  readonly room: {
    readonly messageLog: MessageLog;
    readonly messageBytes: PeerBuckets;
    deliverMessages(): void;
  };
};

/** The messages of a peer: those that it sends go to the room's log, and those of others come from there. */
export class PeerMessages {
  readonly #peer: Context;
  readonly #inbox: Inbox;
  /** The sequence of the next message that the peer is sent. */
  #next: number;

  constructor(peer: Context, inbox: Inbox) {
    this.#peer = peer;
    this.#inbox = inbox;
    this.#next = peer.room.messageLog.end;
  }

  /**
   * Sends a message to other peers. Sending the same number again changes nothing.
   *
   * @throws RequestError 403 without the grant, 409 when the message `after` is missing, 429 when there are too many.
   */
  send({ senderId, number, after, to, ...message }: Sending): void {
    if (!this.#peer.grants.data) throw new RequestError('FORBIDDEN', 'the peer may not send messages');
    const { messageLog, messageBytes } = this.#peer.room;
    const last = messageLog.lastNumberOf(this.#peer.id, senderId);
    if (last !== undefined && number <= last) return;
    if (last !== undefined && after !== undefined && after > last)
      throw new RequestError('MESSAGE_OUT_OF_ORDER', `message ${after}, which comes before ${number}, has not arrived`);
    if (!messageBytes.of(this.#peer.id).take(bytesOf(message, to)))
      throw new RequestError(
        'TOO_MANY_REQUESTS',
        `messageBytes: more than ${messageBytes.rate.perSecond} bytes of messages a second`,
        { limit: 'messageBytes' },
      );
    messageLog.add({ peerId: this.#peer.id, senderId, number, ...message }, to);
    this.#peer.room.deliverMessages();
  }

  /** Starts with messages of the last `ageMs` milliseconds, for a peer that moves here from another daemon. */
  beginBefore(ageMs: number): void {
    this.#next = Math.min(this.#next, this.#peer.room.messageLog.since(ageMs));
  }

  /** Continues after the last message that arrived over the lost socket. */
  goOnAfter(sequence: number): void {
    this.#next = Math.min(this.#next, sequence + 1);
  }

  /** Sends the peer the messages that it has not been sent, as far as its socket takes them. */
  deliver(): void {
    const { id, grants, announced, room } = this.#peer;
    const { messageLog } = room;
    if (!announced) return;
    while (this.#next < messageLog.end && this.#inbox.isReady()) {
      messageLog.dropOld();
      const dropped = messageLog.start - this.#next;
      if (dropped > 0) {
        this.#next = messageLog.start;
        this.#inbox.missed(dropped);
        continue;
      }
      const logged = messageLog.get(this.#next++);
      if (!logged || !grants.data || logged.message.peerId === id) continue;
      if (logged.to && !logged.to.has(id)) continue;
      this.#inbox.deliver(logged.message);
    }
  }
}
