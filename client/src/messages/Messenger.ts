import type { NotificationData } from '@mediasoup-server/proto/signaling';
import { RoomError } from '../errors.ts';
import { TypedEmitter } from '../events.ts';
import { randomId } from '../randomId.ts';
import type { Session } from '../session/Session.ts';
import { fromBase64 } from './base64.ts';
import { LossyInbox, protocolOf } from './LossyInbox.ts';
import { MessageSender } from './MessageSender.ts';
import { type Data, withNumber } from './numbered.ts';
import { Outbox, type SendOptions, type SentMessage } from './Outbox.ts';
import { ReliableInbox } from './ReliableInbox.ts';

export interface MessengerEvents {
  received: [peerId: string, data: Data, topic: string | undefined];
  /** A message of this peer was refused for good. */
  sendFailed: [error: RoomError];
}

/** Sends and receives the messages of `Room.send` over every session of the peer, each message once. */
export class Messenger extends TypedEmitter<MessengerEvents> {
  /** Distinguishes this Room's messages from those of the same peer before a reload of the page. */
  readonly #senderId = randomId();
  readonly #outbox = new Outbox(this.#senderId);
  readonly #senders = new Map<Session, MessageSender>();
  readonly #reliableInbox = new ReliableInbox();
  readonly #lossyInbox = new LossyInbox();
  #lossySent = 0;
  #wasAttached = false;

  /** The `protocol` of the data channels that lossy messages go over. */
  get dataProtocol(): string {
    return protocolOf(this.#senderId);
  }

  /** Whether a session was attached before, so that messages may have been sent while the peer had none. */
  get wasAttached(): boolean {
    return this.#wasAttached;
  }

  /** Sends the waiting messages over a session, and repeats those that were sent in the last minute. */
  attach(session: Session): void {
    this.#wasAttached = true;
    session.on('dataReceived', (peerId, protocol, received) => {
      const data = this.#lossyInbox.take(peerId, protocol, received);
      if (data !== undefined) this.emit('received', peerId, data, undefined);
    });
    session.on('peerMessage', (message) => this.#receive(message));
    const taken = (message: SentMessage): void => this.#outbox.take(message);
    const sender = new MessageSender(this.#outbox.recent(), {
      deliver: (data) => session.sendMessage(data),
      taken,
      refused: (message, error) => {
        taken(message);
        this.emit('sendFailed', error);
      },
    });
    this.#senders.set(session, sender);
  }

  detach(session: Session): void {
    this.#senders.get(session)?.close();
    this.#senders.delete(session);
  }

  /**
   * @param sessions of the peer, the present one first
   * @throws {RoomError} INVALID_REQUEST, UNAVAILABLE
   */
  send(data: Data, { reliable = true, ...options }: SendOptions, [current, ...former]: readonly Session[]): void {
    if (reliable) {
      const message = this.#outbox.add(data, options);
      // Some receivers may be at one of the daemons only; those at both drop the second copy.
      for (const sender of this.#senders.values()) sender.send(message);
      return;
    }
    if (options.to || options.topic !== undefined)
      throw new RoomError('INVALID_REQUEST', 'A message over a data channel has neither `to` nor `topic`');
    const message = withNumber(this.#lossySent++, data);
    for (const session of former) if (session.data.isOpen) session.data.send(message);
    current?.data.send(message);
  }

  /** Frees what is remembered of a peer that left. */
  forgetPeer(peerId: string): void {
    this.#lossyInbox.forget(peerId);
  }

  close(): void {
    for (const session of [...this.#senders.keys()]) this.detach(session);
  }

  #receive({ peerId, senderId, number, encoding, data: text, topic }: NotificationData<'peerMessage'>): void {
    if (!this.#reliableInbox.take(peerId, senderId, number)) return;
    const data = encoding === 'base64' ? fromBase64(text) : text;
    if (data !== undefined) this.emit('received', peerId, data, topic);
  }
}
