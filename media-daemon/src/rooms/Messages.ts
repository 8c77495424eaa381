import type { RequestData } from '@mediasoup-server/proto/signaling';
import { TokenBucket } from '../admission/TokenBucket.ts';
import { RequestError } from '../errors.ts';
import type { Peer } from '../peers/Peer.ts';
import { bytesOf } from './MessageLog.ts';
import type { Room } from './Room.ts';

/** What a peer sends to others by way of the room's log, and how far it has been sent what they sent. */
export class Messages {
  readonly #peer: Peer;
  readonly #room: Room;
  readonly #isReady: () => boolean;
  readonly #bucket: TokenBucket;
  /** The sequence of the next message that it is sent. */
  #next: number;

  /** @param isReady whether the peer's socket takes more now. */
  constructor(peer: Peer, room: Room, isReady: () => boolean) {
    this.#peer = peer;
    this.#room = room;
    this.#isReady = isReady;
    const { messageBytesPerSecond: perSecond, messageBytesBurst: burst } = room.limits;
    this.#bucket = new TokenBucket({ perSecond, burst });
    this.#next = room.messageLog.end;
  }

  /**
   * Takes a message for others. Again changes nothing: its number tells.
   *
   * @throws RequestError 403 without the grant, 409 when a message before it is missing, 429 when there are too many.
   */
  send({ senderId, number, after, to, ...message }: RequestData<'sendMessage'>): void {
    if (!this.#peer.grants.data) throw new RequestError(403, 'the peer may not send messages');
    const { messageLog, limits } = this.#room;
    const last = messageLog.lastNumberOf(this.#peer.id, senderId);
    if (last !== undefined && number <= last) return;
    if (last !== undefined && after !== undefined && after > last)
      throw new RequestError(409, `message ${after}, which comes before ${number}, has not come`);
    if (!this.#bucket.take(bytesOf(message, to)))
      throw new RequestError(
        429,
        `messageBytes: more than ${limits.messageBytesPerSecond} bytes of messages a second`,
        {
          limit: 'messageBytes',
        },
      );
    messageLog.add({ peerId: this.#peer.id, senderId, number, ...message }, to);
    for (const other of this.#room.peers) other.messages.deliver();
  }

  /** Begins with messages that came before, for a peer that comes from another place. */
  beginBefore(ageMs: number): void {
    this.#next = Math.min(this.#next, this.#room.messageLog.since(ageMs));
  }

  /** Goes on after the last message that came in over the lost socket. */
  goOnAfter(sequence: number): void {
    this.#next = Math.min(this.#next, sequence + 1);
  }

  /** Sends what the peer has not been sent, as much as its socket takes now. */
  deliver(): void {
    const { messageLog } = this.#room;
    if (!this.#peer.announced) return;
    while (this.#next < messageLog.end && this.#isReady()) {
      messageLog.dropOld();
      const dropped = messageLog.start - this.#next;
      if (dropped > 0) {
        this.#next = messageLog.start;
        this.#peer.notify('messagesMissed', { count: dropped });
        continue;
      }
      const message = messageLog.get(this.#next++);
      if (!message || !this.#peer.grants.data || message.notification.peerId === this.#peer.id) continue;
      if (message.to && !message.to.has(this.#peer.id)) continue;
      this.#peer.notify('peerMessage', message.notification);
    }
  }
}
