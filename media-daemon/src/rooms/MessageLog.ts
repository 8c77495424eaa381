/** A message to peers of a room. */
export type Message = {
  /** The sender. */
  readonly peerId: string;
  /** One run of the sender's client, within which `number` counts its messages. */
  readonly senderId: string;
  readonly number: number;
  readonly data: string;
  /** Says that `data` holds bytes. */
  readonly encoding?: 'base64' | undefined;
  readonly topic?: string | undefined;
  /** Counts the room's messages. */
  readonly sequence: number;
};

/** A message with what the log keeps beside it. */
type LoggedMessage = {
  /** When it arrived, on the clock of `performance`. */
  readonly at: number;
  /** Roughly its size in memory and in a socket. */
  readonly bytes: number;
  /** The peers that it is for; all but its sender without it. */
  readonly to: ReadonlySet<string> | undefined;
  readonly message: Message;
};

/** How long a message is kept, ms. */
const KEPT_MS = 60_000;
/** The most bytes of messages that a room keeps. */
const MOST_BYTES = 1_048_576;
/** The size of a message beside its texts, bytes. */
const OVERHEAD_BYTES = 256;
/** The most senders whose last number is remembered. */
const MOST_SENDERS = 4096;

/** The latest messages of a room. Each peer is sent them as fast as it reads. */
export class MessageLog {
  #messages: LoggedMessage[] = [];
  #bytes = 0;
  #end = 0;
  /** The number of the last message of each sender. */
  readonly #lastNumbers = new Map<string, number>();

  /** The sequence of the first message that is kept. */
  get start(): number {
    return this.#end - this.#messages.length;
  }

  /** The sequence of the next message. */
  get end(): number {
    return this.#end;
  }

  get(sequence: number): LoggedMessage | undefined {
    return this.#messages[sequence - this.start];
  }

  /** The number of the last message of a sender. */
  lastNumberOf(peerId: string, senderId: string): number | undefined {
    return this.#lastNumbers.get(keyOf(peerId, senderId));
  }

  add(message: Omit<Message, 'sequence'>, to: readonly string[] | undefined): void {
    const sequence = this.#end++;
    const bytes = bytesOf(message, to);
    this.#remember(keyOf(message.peerId, message.senderId), message.number);
    this.#messages.push({ at: performance.now(), bytes, to: to && new Set(to), message: { ...message, sequence } });
    this.#bytes += bytes;
    this.dropOld();
  }

  /** Drops messages that are too old or over the limit of bytes. */
  dropOld(now: number = performance.now()): void {
    let count = 0;
    for (const { at, bytes } of this.#messages) {
      if (at > now - KEPT_MS && this.#bytes <= MOST_BYTES) break;
      this.#bytes -= bytes;
      count++;
    }
    if (count > 0) this.#messages = this.#messages.slice(count);
  }

  /** The sequence of the first message of the last `ageMs` milliseconds. */
  since(ageMs: number, now: number = performance.now()): number {
    return this.#messages.find(({ at }) => at >= now - ageMs)?.message.sequence ?? this.#end;
  }

  #remember(sender: string, number: number): void {
    this.#lastNumbers.delete(sender);
    this.#lastNumbers.set(sender, number);
    const [longest] = this.#lastNumbers.keys();
    if (this.#lastNumbers.size > MOST_SENDERS && longest !== undefined) this.#lastNumbers.delete(longest);
  }
}

/** Users choose both names, so no separator is safe. */
const keyOf = (peerId: string, senderId: string): string => JSON.stringify([peerId, senderId]);

/** Roughly the size of a message, bytes. Its topic and its recipients may be longer than its data. */
export const bytesOf = (
  { data, topic = '' }: { data: string; topic?: string | undefined },
  to: readonly string[] = [],
): number => OVERHEAD_BYTES + [data, topic, ...to].reduce((sum, text) => sum + Buffer.byteLength(text), 0);
