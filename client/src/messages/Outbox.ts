import { MAX_MESSAGE_BYTES } from '@mediasoup-server/proto/protoo';
import type { RequestData } from '@mediasoup-server/proto/signaling';
import { RoomError } from '../errors.ts';
import { toBase64 } from './base64.ts';
import type { Data } from './numbered.ts';

/** How long a message is kept after it was sent, ms: at another place it is sent again. */
const KEPT_MS = 60_000;
/** Bytes of sent messages that are kept. */
const MOST_KEPT = 1_048_576;
/** Bytes of messages that may wait to be sent. */
const MOST_WAITING = 8_388_608;

export interface SendOptions {
  /** The peers that it is for; everybody by default. */
  readonly to?: readonly string[];
  /** What it is about; the others get it with the message. At most 128 characters. */
  readonly topic?: string;
  /**
   * `true`: it arrives, in order and once, over the signaling connection. `false`: it is sent at once over a data channel, and
   * may be lost. Default: `true`.
   */
  readonly reliable?: boolean;
}

/** A message that is sent or to be sent. */
export interface SentMessage {
  readonly request: Omit<RequestData<'sendMessage'>, 'after'>;
  readonly bytes: number;
  readonly at: number;
  /** Whether a daemon has taken it. */
  taken: boolean;
}

/** The reliable messages of this peer: those that wait, and for a while those that were sent, which the next place gets too. */
export class Outbox {
  readonly #senderId: string;
  #messages: SentMessage[] = [];
  /** Bytes that wait. */
  #waiting = 0;
  /** Bytes of the messages that were taken and are kept. */
  #kept = 0;
  #next = 0;

  constructor(senderId: string) {
    this.#senderId = senderId;
  }

  /**
   * Numbers a message.
   *
   * @throws {RoomError} INVALID_REQUEST where it is too long, UNAVAILABLE where too much waits; nothing else is lost by it
   */
  add(data: Data, { to, topic }: SendOptions): SentMessage {
    const text = typeof data === 'string' ? data : toBase64(data);
    const bytes = new TextEncoder().encode(JSON.stringify(text)).length;
    if (bytes > MAX_MESSAGE_BYTES)
      throw new RoomError('INVALID_REQUEST', `The message takes ${bytes} bytes, and may take ${MAX_MESSAGE_BYTES}`);
    if (this.#waiting + bytes > MOST_WAITING)
      throw new RoomError('UNAVAILABLE', `More than ${MOST_WAITING} bytes of messages wait to be sent`);
    const message: SentMessage = {
      request: {
        data: text,
        ...(typeof data !== 'string' && { encoding: 'base64' as const }),
        ...(to && { to: [...to] }),
        ...(topic !== undefined && { topic }),
        senderId: this.#senderId,
        number: this.#next++,
      },
      bytes,
      at: performance.now(),
      taken: false,
    };
    this.#waiting += bytes;
    this.#messages.push(message);
    return message;
  }

  /** A daemon has taken it, or never will. */
  take(message: SentMessage): void {
    if (message.taken) return;
    message.taken = true;
    this.#waiting -= message.bytes;
    this.#kept += message.bytes;
    this.#forget(performance.now());
  }

  /** What another place is to be sent, in order: what waits, and what was taken a short time ago. */
  recent(now: number = performance.now()): SentMessage[] {
    this.#forget(now);
    return [...this.#messages];
  }

  /** Forgets the oldest of the messages that were taken, where they are too old or too many. */
  #forget(now: number): void {
    const isOver = ({ taken, at }: SentMessage) => taken && (at < now - KEPT_MS || this.#kept > MOST_KEPT);
    const oldest = this.#messages.find(({ taken }) => taken);
    if (!oldest || !isOver(oldest)) return;
    this.#messages = this.#messages.filter((message) => {
      const over = isOver(message);
      if (over) this.#kept -= message.bytes;
      return !over;
    });
  }
}
