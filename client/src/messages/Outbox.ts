import { MAX_MESSAGE_BYTES } from '@mediasoup-server/proto/protoo';
import type { RequestData } from '@mediasoup-server/proto/signaling';
import { RoomError } from '../errors.ts';
import { toBase64 } from './base64.ts';
import type { Data } from './numbered.ts';

/** How long a message is kept after it was sent, ms: the next session sends it again. */
const KEPT_MS = 60_000;
/** The most bytes of sent messages to keep. */
const MOST_KEPT = 1_048_576;
/** The most bytes of messages that may wait. */
const MOST_WAITING = 8_388_608;

export interface SendOptions {
  /** The ids of the receivers. Default: all other peers. */
  readonly to?: readonly string[];
  /** Delivered with the message; at most 128 characters. */
  readonly topic?: string;
  /**
   * `true`: the message arrives in order and once, over the signaling connection. `false`: it is sent at once over a data
   * channel, and may be lost. Default: `true`.
   */
  readonly reliable?: boolean;
}

/** A reliable message that was or will be sent. */
export interface SentMessage {
  readonly request: Omit<RequestData<'sendMessage'>, 'after'>;
  readonly bytes: number;
  readonly at: number;
  /** Whether a daemon has accepted or refused it. */
  taken: boolean;
}

/** The reliable messages of this peer: those that wait, and for a minute those that were sent, which a new session repeats. */
export class Outbox {
  readonly #senderId: string;
  #messages: SentMessage[] = [];
  /** Bytes of the messages that wait. */
  #waiting = 0;
  /** Bytes of the sent messages that are kept. */
  #kept = 0;
  #next = 0;

  constructor(senderId: string) {
    this.#senderId = senderId;
  }

  /**
   * Adds a message and numbers it.
   *
   * @throws {RoomError} INVALID_REQUEST if it is too long, UNAVAILABLE if too much waits; all other messages stay
   */
  add(data: Data, { to, topic }: SendOptions): SentMessage {
    const text = typeof data === 'string' ? data : toBase64(data);
    const bytes = new TextEncoder().encode(JSON.stringify(text)).length;
    if (bytes > MAX_MESSAGE_BYTES)
      throw new RoomError(
        'INVALID_REQUEST',
        `The message has ${bytes} bytes; at most ${MAX_MESSAGE_BYTES} are allowed`,
      );
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

  /** A daemon has accepted the message, or refused it for good. */
  take(message: SentMessage): void {
    if (message.taken) return;
    message.taken = true;
    this.#waiting -= message.bytes;
    this.#kept += message.bytes;
    this.#forget(performance.now());
  }

  /** The messages that a new session sends, in order: those that wait, and those that were sent in the last minute. */
  recent(now: number = performance.now()): SentMessage[] {
    this.#forget(now);
    return [...this.#messages];
  }

  /** Drops the oldest sent messages when they are too old or too many. */
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
