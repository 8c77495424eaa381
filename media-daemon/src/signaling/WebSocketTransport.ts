import { EventEmitter } from 'node:events';
import { CLOSE_FOR_GOOD } from '@mediasoup-server/proto/signaling';
import { WebSocket } from 'ws';
import { z } from 'zod';

/** What a client may send: protoo's request, response and notification. */
const messageSchema = z.union([
  z.object({ request: z.literal(true), id: z.number(), method: z.string(), data: z.unknown() }),
  z.object({ response: z.literal(true), id: z.number(), ok: z.boolean().optional(), data: z.unknown() }),
  z.object({ notification: z.literal(true), method: z.string(), data: z.unknown() }),
]);

export type WebSocketTransportOptions = {
  /** Milliseconds between pings; a socket that leaves one unanswered is cut. */
  readonly pingIntervalMs: number;
  /** Bytes that may wait to be sent before the socket is cut. */
  readonly maxBufferedBytes: number;
};

/**
 * protoo's transport on a WebSocket of `ws`. Unlike protoo's own it parses safely, says what is wrong with a message,
 * bounds what is queued, pings, and closes with the right code.
 *
 * @emits close
 * @emits message (message)
 */
export class WebSocketTransport extends EventEmitter {
  readonly #socket: WebSocket;
  readonly #options: WebSocketTransportOptions;
  readonly #pinger: NodeJS.Timeout;
  #answered = true;
  #closed = false;

  constructor(socket: WebSocket, options: WebSocketTransportOptions) {
    super();
    this.#socket = socket;
    this.#options = options;
    this.#pinger = setInterval(() => this.#ping(), options.pingIntervalMs);
    socket.on('pong', () => {
      this.#answered = true;
    });
    socket.on('message', (data, isBinary) => this.#receive(data.toString(), isBinary));
    // `ws` closes the socket itself after an error, for example a frame that is too large.
    socket.on('error', () => {});
    socket.on('close', () => this.#end());
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Closes the socket; the code says whether the client may connect again. */
  close(code: number = CLOSE_FOR_GOOD, reason = ''): void {
    if (this.#closed) return;
    this.#socket.close(code, reason);
    // A client that does not answer the close frame keeps nothing of ours.
    const cut = setTimeout(() => this.#socket.terminate(), this.#options.pingIntervalMs);
    this.#socket.once('close', () => clearTimeout(cut));
    this.#end();
  }

  /** @throws Error when the socket is closed. */
  async send(message: object): Promise<void> {
    if (this.#closed || this.#socket.readyState !== WebSocket.OPEN) throw new Error('the socket is closed');
    this.#socket.send(JSON.stringify(message));
    if (this.#socket.bufferedAmount > this.#options.maxBufferedBytes) this.#socket.terminate();
  }

  #receive(text: string, isBinary: boolean): void {
    // What arrives after our own close is nobody's any more.
    if (this.#closed) return;
    const message = isBinary ? undefined : parse(text);
    if (typeof message === 'object') this.emit('message', message);
    else this.#refuse(message ?? 'binary messages are not understood');
  }

  #refuse(reason: string): void {
    this.send({ notification: true, method: 'error', data: { code: 400, reason } }).catch(() => this.#end());
  }

  #ping(): void {
    if (!this.#answered) {
      this.#socket.terminate();
      return;
    }
    this.#answered = false;
    this.#socket.ping();
  }

  #end(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#pinger);
    this.emit('close');
  }
}

/** The message, or what is wrong with the text. */
function parse(text: string): object | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'the message is not JSON';
  }
  const parsed = messageSchema.safeParse(value);
  return parsed.success ? parsed.data : 'the message is not a protoo request, response or notification';
}
