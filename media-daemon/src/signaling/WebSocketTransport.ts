import { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import { CLOSE_FOR_GOOD, type Notification, type NotificationData } from '@mediasoup-server/proto/signaling';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { type Rate, TokenBucket } from '../admission/TokenBucket.ts';
import { RequestError } from '../errors.ts';
import { LatestUpdates } from './LatestUpdates.ts';
import { describeError } from './wireShapes.ts';

/** The messages that a client may send: protoo's request, response and notification. */
const messageSchema = z.union([
  z.object({ request: z.literal(true), id: z.number(), method: z.string(), data: z.unknown().optional() }),
  z.object({ response: z.literal(true), id: z.number(), ok: z.boolean().optional(), data: z.unknown().optional() }),
  z.object({ notification: z.literal(true), method: z.string(), data: z.unknown().optional() }),
]);
type Message = z.infer<typeof messageSchema>;

/** A message counts once against the rate limit, and once more for each multiple of these bytes. */
const BYTES_A_TOKEN = 4096;
/** Pings of all sockets are sent at this many times in each interval, since each ping by itself would wake the process. */
const PING_TIMES = 5;
/** A socket is backed up above this share of `maxBufferedBytes`. */
const BACKED_UP = 1 / 4;
/** How long the daemon stops reading a flooding socket, ms. */
const FLOOD_PAUSE_MS = 1000;
/** The close code that the `ws` library reports when there was no close frame (RFC 6455, 7.4.1). */
const NO_CLOSE_FRAME = 1006;

/** The limits that a socket can exceed. */
export type SocketLimit = 'messageRate' | 'bufferedBytes' | 'frameBytes' | 'pong';

export type WebSocketTransportOptions = {
  /** Milliseconds between pings. A socket that does not answer one is closed. */
  readonly pingIntervalMs: number;
  /** Bytes that may wait to be sent before the socket is closed. */
  readonly maxBufferedBytes: number;
  /** The rate limit of the client's messages. */
  readonly messageRate: Rate;
  readonly onLimit: (limit: SocketLimit) => void;
};

type Events = {
  /** Nothing is sent or received any more. `left`: the client or the daemon sent a close frame. */
  close: [left: boolean];
  message: [message: Message];
  /** The buffer has emptied: `isReady` is true again. */
  drained: [];
};

/**
 * protoo's transport on a WebSocket of `ws`. Unlike protoo's own it parses safely, reports invalid messages, limits what it
 * receives and queues, pings, and closes with the right code.
 */
export class WebSocketTransport extends EventEmitter<Events> {
  readonly #socket: WebSocket;
  readonly #stream: Duplex;
  readonly #options: WebSocketTransportOptions;
  readonly #bucket: TokenBucket;
  readonly #updates = new LatestUpdates();
  #pinger: NodeJS.Timeout;
  #floodPause: NodeJS.Timeout | undefined;
  /** The number of consecutive messages above the rate limit. */
  #refused = 0;
  /** The client violated the protocol: its socket closes, and its session ends without a grace time. */
  #broke = false;
  #answered = true;
  #closed = false;

  /** @param stream the socket of the upgraded request. */
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

  /** Whether messages that can wait may be sent now. If not, `drained` follows. */
  get isReady(): boolean {
    return this.#isOpen && this.#socket.bufferedAmount <= this.#stream.writableHighWaterMark;
  }

  /** Closes the socket. The code tells the client whether to connect again. */
  close(code: number = CLOSE_FOR_GOOD, reason = ''): void {
    if (this.#closed) return;
    this.#socket.close(code, reason);
    // Does not wait for a client that does not answer the close frame.
    const cut = setTimeout(() => this.#socket.terminate(), this.#options.pingIntervalMs);
    this.#socket.once('close', () => clearTimeout(cut));
    this.#socket.resume();
    this.#end(true);
  }

  /**
   * Sends protoo's responses.
   *
   * @throws Error when the socket is closed.
   */
  async send(message: object): Promise<void> {
    if (!this.#isOpen) throw new Error('the socket is closed');
    this.#write(JSON.stringify(message));
  }

  /** Sends a notification. The data must not be changed afterwards, since its text is shared by all peers that get it. */
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

  /** Whether the client reads slowly, so that superseded messages are left out. */
  get #isBackedUp(): boolean {
    // A stream emits `drain` only if it held more than its high water mark.
    const bound = Math.max(this.#stream.writableHighWaterMark, this.#options.maxBufferedBytes * BACKED_UP);
    return this.#socket.bufferedAmount > bound;
  }

  /** Sends what was held back for a slow reader, as much as fits now. */
  #sendUpdates(): void {
    while (this.#isOpen && !this.#isBackedUp) {
      const update = this.#updates.take();
      if (!update) return;
      this.#write(notificationOf('peerUpdated', update));
    }
  }

  /** Ignores the error of a socket that has just closed: its close event follows. */
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
    // Ignores what arrives after our own close.
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

  /** Stops reading, so that TCP slows the client down. Nothing that it sent is lost or unanswered. */
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

  /** Schedules the next ping: after the interval, at the nearest shared time. */
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

/** Whether a notification has this method. Narrows the type of its data. */
const isNotification = <N extends Notification>(name: N, method: string, _data: object): _data is NotificationData<N> =>
  method === name;

let told: { readonly method: string; readonly data: object; readonly text: string } | undefined;

/** A notification's text. A room sends the same object to its peers one after the other, so it is serialized once. */
function notificationOf(method: string, data: object): string {
  if (told?.data !== data || told.method !== method)
    told = { method, data, text: JSON.stringify({ notification: true, method, data }) };
  return told.text;
}

const corked = new Set<Duplex>();

/** All messages of one turn of the event loop go out in one write, since a system call for each would cost most. */
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

/** The parsed message, or the error in the text. */
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
