import type { RequestData } from '@mediasoup-server/proto/signaling';
import { RoomError } from '../errors.ts';
import type { SentMessage } from './Outbox.ts';

/** How many bytes may be under way without an answer. */
const WINDOW = 65_536;
/** The delay before a refused message is sent again, ms. */
const RETRY_MS = 250;

export interface MessageSenderOptions {
  readonly deliver: (data: RequestData<'sendMessage'>) => Promise<unknown>;
  /** The daemon has accepted a message. */
  readonly taken: (message: SentMessage) => void;
  /** The daemon has refused a message for good. */
  readonly refused: (message: SentMessage, error: RoomError) => void;
}

/** Sends messages to one daemon, in order, no faster than it accepts them. */
export class MessageSender {
  readonly #options: MessageSenderOptions;
  readonly #waiting: SentMessage[];
  readonly #onTheirWay: SentMessage[] = [];
  /** The number of the last message that the daemon accepted. */
  #last: number | undefined;
  /** The daemon asked for slower messages: they go one at a time until it accepts one. */
  #slow = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(waiting: readonly SentMessage[], options: MessageSenderOptions) {
    this.#options = options;
    this.#waiting = [...waiting];
    this.#go();
  }

  send(message: SentMessage): void {
    this.#waiting.push(message);
    this.#go();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #go(): void {
    while (!this.#closed && this.#timer === undefined && this.#mayGo()) {
      const message = this.#waiting.shift();
      if (!message) return;
      const after = this.#onTheirWay.at(-1)?.request.number ?? this.#last;
      this.#onTheirWay.push(message);
      this.#options.deliver({ ...message.request, ...(after !== undefined && { after }) }).then(
        () => this.#answered(message),
        (error: unknown) => this.#failed(message, RoomError.from(error)),
      );
    }
  }

  #mayGo(): boolean {
    if (this.#onTheirWay.length === 0) return true;
    return !this.#slow && this.#onTheirWay.reduce((sum, { bytes }) => sum + bytes, 0) < WINDOW;
  }

  #answered(message: SentMessage): void {
    this.#onTheirWay.splice(this.#onTheirWay.indexOf(message), 1);
    this.#last = Math.max(this.#last ?? 0, message.request.number);
    this.#slow = false;
    this.#options.taken(message);
    this.#go();
  }

  #failed(message: SentMessage, error: RoomError): void {
    this.#onTheirWay.splice(this.#onTheirWay.indexOf(message), 1);
    if (this.#closed) return;
    // The session is over. The sender of the next one has the messages that wait.
    if (error.code === 'CONNECTION_LOST') {
      this.close();
      return;
    }
    if (error.retryable || error.status === 409) {
      this.#slow = true;
      const { number } = message.request;
      const before = this.#waiting.findIndex(({ request }) => request.number > number);
      this.#waiting.splice(before < 0 ? this.#waiting.length : before, 0, message);
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined;
        this.#go();
      }, RETRY_MS);
    } else {
      this.#options.refused(message, error);
      this.#go();
    }
  }
}
