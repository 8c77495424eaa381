import { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import { CLOSE_FOR_GOOD, type Notification, type NotificationData } from '@mediasoup-server/proto/signaling';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { type Rate, TokenBucket } from '../admission/TokenBucket.ts';
import { RequestError } from '../errors.ts';
import { LatestUpdates } from './LatestUpdates.ts';
import { describeError } from './wireShapes.ts';

/** What a client may send: protoo's request, response and notification. */
const messageSchema = z.union([
  z.object({ request: z.literal(true), id: z.number(), method: z.string(), data: z.unknown().optional() }),
  z.object({ response: z.literal(true), id: z.number(), ok: z.boolean().optional(), data: z.unknown().optional() }),
  z.object({ notification: z.literal(true), method: z.string(), data: z.unknown().optional() }),
]);
type Message = z.infer<typeof messageSchema>;

/** A message counts once against the rate, and once more for each of these bytes. */
const BYTES_A_TOKEN = 4096;
/** The sockets' pings go out at so many times in each interval, many together: each by itself would wake the process. */
const PING_TIMES = 5;
/** From this share of the bytes that may wait on, a socket is backed up. */
const BACKED_UP = 1 / 4;
/** How long a socket that floods is not read, ms. */
const FLOOD_PAUSE_MS = 1000;
/** The close code that the `ws` library reports when there was no close frame (RFC 6455, 7.4.1). */
const NO_CLOSE_FRAME = 1006;

/** The limits that a socket can be over. */
export type SocketLimit = 'messageRate' | 'bufferedBytes' | 'frameBytes' | 'pong';

export type WebSocketTransportOptions = {
  /** Milliseconds between pings; a socket that leaves one unanswered is cut. */
  readonly pingIntervalMs: number;
  /** Bytes that may wait to be sent before the socket is cut. */
  readonly maxBufferedBytes: number;
  /** How often the client may send a message. */
  readonly messageRate: Rate;
  readonly onLimit: (limit: SocketLimit) => void;
};

type Events = {
  /** Nothing is sent or received any more. `left`: the client ended it with a close frame, or we did. */
  close: [left: boolean];
  message: [message: Message];
  /** What was sent has gone out: `isReady` again. */
  drained: [];
};

/**
 * protoo's transport on a WebSocket of `ws`. Unlike protoo's own it parses safely, says what is wrong with a message,
 * bounds what is received and what is queued, pings, and closes with the right code.
 */
export class WebSocketTransport extends EventEmitter<Events> {
  readonly #socket: WebSocket;
  readonly #stream: Duplex;
  readonly #options: WebSocketTransportOptions;
  readonly #bucket: TokenBucket;
  readonly #updates = new LatestUpdates();
  #pinger: NodeJS.Timeout;
  #floodPause: NodeJS.Timeout | undefined;
  /** How many messages in a row were over the rate. */
  #refused = 0;
  /** The client broke the protocol: it is sent away, and not waited for. */
  #broke = false;
  #answered = true;
  #closed = false;

  /** @param stream what the WebSocket is upgraded from. */
  constructor(socket: WebSocket, stream: Duplex, options: WebSocketTransportOptions) {
    super();
    this.#socket = socket;
    this.#stream = stream;
    this.#options = options;
    this.#bucket = new TokenBucket(options.messageRate);
    this.#pinger = this.#pingLater();
    socket.on('pong', () => {
      this.#answered = true;
    });
    stream.on('drain', () => {
      this.#sendUpdates();
      if (!this.#closed) this.emit('drained');
    });
    socket.on('message', (data, isBinary) => this.#receive(data as Buffer, isBinary));
    // `ws` closes the socket itself after an error.
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') options.onLimit('frameBytes');
      if (error.code?.startsWith('WS_ERR_')) this.#broke = true;
    });
    socket.on('close', (code) => this.#end(this.#broke || code !== NO_CLOSE_FRAME));
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Whether it takes more of what can wait. Once it does not, `drained` follows. */
  get isReady(): boolean {
    return this.#isOpen && this.#socket.bufferedAmount <= this.#stream.writableHighWaterMark;
  }

  /** Closes the socket; the code says whether the client may connect again. */
  close(code: number = CLOSE_FOR_GOOD, reason = ''): void {
    if (this.#closed) return;
    this.#socket.close(code, reason);
    // A client that does not answer the close frame keeps nothing of ours.
    const cut = setTimeout(() => this.#socket.terminate(), this.#options.pingIntervalMs);
    this.#socket.once('close', () => clearTimeout(cut));
    this.#socket.resume();
    this.#end(true);
  }

  /**
   * Sends what protoo answers.
   *
   * @throws Error when the socket is closed.
   */
  async send(message: object): Promise<void> {
    if (!this.#isOpen) throw new Error('the socket is closed');
    this.#write(JSON.stringify(message));
  }

  /** Tells the client something: an object that is not changed afterwards, and that others may be told as well. */
  notify(method: string, data: object): void {
    if (isNotification('peerUpdated', method, data) && this.#isBackedUp) {
      this.#updates.keep(data);
      return;
    }
    if (isNotification('peerUpdated', method, data) || isNotification('peerLeft', method, data))
      this.#updates.forget(data.peerId);
    this.#write(notificationOf(method, data));
  }

  get #isOpen(): boolean {
    return !this.#closed && this.#socket.readyState === WebSocket.OPEN;
  }

  /** Whether its reader is slow: it is sent only what cannot be left out. */
  get #isBackedUp(): boolean {
    // A stream tells when it has drained only where it held more than its high water mark.
    const bound = Math.max(this.#stream.writableHighWaterMark, this.#options.maxBufferedBytes * BACKED_UP);
    return this.#socket.bufferedAmount > bound;
  }

  /** Sends what was held back while the reader was slow, as much as it takes now. */
  #sendUpdates(): void {
    while (this.#isOpen && !this.#isBackedUp) {
      const update = this.#updates.take();
      if (!update) return;
      this.#write(notificationOf('peerUpdated', update));
    }
  }

  /** A socket that just closed takes nothing more; its close event follows and is what counts. */
  #write(text: string): void {
    if (!this.#isOpen) return;
    corkForThisTurn(this.#stream);
    this.#socket.send(text);
    if (this.#socket.bufferedAmount > this.#options.maxBufferedBytes) {
      this.#options.onLimit('bufferedBytes');
      this.#socket.terminate();
    }
  }

  #receive(data: Buffer, isBinary: boolean): void {
    // What arrives after our own close is nobody's any more.
    if (this.#closed) return;
    const refused = !this.#bucket.take(1 + data.length / BYTES_A_TOKEN);
    this.#refused = refused ? this.#refused + 1 : 0;
    if (this.#refused >= this.#options.messageRate.burst) this.#pauseFlood();
    const message = isBinary ? 'binary messages are not understood' : parse(data.toString());
    if (typeof message === 'string') this.notify('error', describeError(new RequestError('INVALID_REQUEST', message)));
    else if (refused) this.#refuse(message);
    else this.emit('message', message);
  }

  #refuse(message: Message): void {
    this.#options.onLimit('messageRate');
    const { perSecond } = this.#options.messageRate;
    const error = new RequestError('TOO_MANY_REQUESTS', `messageRate: more than ${perSecond} messages a second`);
    if ('request' in message) {
      const { status: errorCode, reason: errorReason } = error;
      this.#write(JSON.stringify({ response: true, id: message.id, errorCode, errorReason }));
    } else if ('notification' in message) {
      this.notify('error', { ...describeError(error), method: message.method.slice(0, 64) });
    }
  }

  /** Not reading lets TCP slow the client down; nothing that it sent is lost or unanswered. */
  #pauseFlood(): void {
    if (this.#floodPause) return;
    this.#socket.pause();
    this.#floodPause = setTimeout(() => {
      this.#floodPause = undefined;
      this.#socket.resume();
    }, FLOOD_PAUSE_MS);
  }

  #ping(): void {
    if (!this.#answered) {
      this.#options.onLimit('pong');
      this.#socket.terminate();
      return;
    }
    this.#answered = false;
    this.#socket.ping();
    this.#pinger = this.#pingLater();
  }

  /** After the interval, at the nearest of the times at which pings go out. */
  #pingLater(): NodeJS.Timeout {
    const { pingIntervalMs } = this.#options;
    const step = pingIntervalMs / PING_TIMES;
    const now = performance.now();
    const at = Math.round((now + pingIntervalMs) / step) * step;
    return setTimeout(() => this.#ping(), at - now);
  }

  #end(left: boolean): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#pinger);
    clearTimeout(this.#floodPause);
    this.#updates.clear();
    this.emit('close', left);
  }
}

/** Whether a notification is this one; its data is typed so. */
const isNotification = <N extends Notification>(name: N, method: string, _data: object): _data is NotificationData<N> =>
  method === name;

let told: { readonly method: string; readonly data: object; readonly text: string } | undefined;

/** A notification's text. A room tells its peers the same object one after the other, which is put into text once. */
function notificationOf(method: string, data: object): string {
  if (told?.data !== data || told.method !== method)
    told = { method, data, text: JSON.stringify({ notification: true, method, data }) };
  return told.text;
}

const corked = new Set<Duplex>();

/** What is sent in one turn of the event loop goes out in one write: a system call for each message would cost most. */
function corkForThisTurn(stream: Duplex): void {
  if (corked.has(stream)) return;
  if (corked.size === 0) setImmediate(uncork);
  corked.add(stream);
  stream.cork();
}

function uncork(): void {
  for (const stream of corked) stream.uncork();
  corked.clear();
}

/** The message, or what is wrong with the text. */
function parse(text: string): Message | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'the message is not JSON';
  }
  const parsed = messageSchema.safeParse(value);
  return parsed.success ? parsed.data : 'the message is not a protoo request, response or notification';
}
