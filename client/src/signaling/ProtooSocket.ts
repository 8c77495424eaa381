import { CLOSE_FOR_GOOD, SUBPROTOCOL } from '@mediasoup-server/proto/protoo';
import type { Notification, NotificationData } from '@mediasoup-server/proto/signaling';
import { RoomError } from '../errors.ts';

export type AnyNotification = { [Name in Notification]: { method: Name; data: NotificationData<Name> } }[Notification];

export interface Answer {
  readonly id: number;
  readonly data?: unknown;
  /** Set where the request was refused. */
  readonly error?: { readonly code: number; readonly reason: string };
}

/** How a socket ended. `forGood`: the server closed it with the code that forbids the client to come back. */
export interface SocketEnd {
  readonly forGood: boolean;
}

export interface ProtooSocketHandlers {
  answered(answer: Answer): void;
  notified(notification: AnyNotification): void;
  ended(end: SocketEnd): void;
}

/** One WebSocket that speaks protoo. */
export class ProtooSocket {
  readonly #socket: WebSocket;
  #handlers: ProtooSocketHandlers | undefined;

  /**
   * Opens a socket.
   *
   * @param timeoutMs how long it may take to open
   * @param signal aborts the opening
   * @throws {RoomError} DAEMON_UNREACHABLE; browsers do not say why
   */
  static open(
    url: string,
    timeoutMs: number,
    handlers: ProtooSocketHandlers,
    signal?: AbortSignal,
  ): Promise<ProtooSocket> {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(url, SUBPROTOCOL);
      const failed = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', failed);
        socket.onopen = socket.onclose = null;
        socket.close();
        reject(new RoomError('DAEMON_UNREACHABLE', 'The media server cannot be reached'));
      };
      const timer = setTimeout(failed, timeoutMs);
      socket.onclose = failed;
      signal?.addEventListener('abort', failed);
      socket.onopen = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', failed);
        resolve(new ProtooSocket(socket, handlers));
      };
    });
  }

  private constructor(socket: WebSocket, handlers: ProtooSocketHandlers) {
    this.#socket = socket;
    this.#handlers = handlers;
    socket.onmessage = ({ data }) => this.#receive(data);
    socket.onclose = ({ code }) => this.#handlers?.ended({ forGood: code === CLOSE_FOR_GOOD });
  }

  send(id: number, method: string, data: unknown): void {
    // A socket that is closing sends nothing; its `ended` event then handles the unanswered requests.
    if (this.#socket.readyState === WebSocket.OPEN) {
      this.#socket.send(JSON.stringify({ request: true, id, method, data }));
    }
  }

  /**
   * Stops listening without closing: a close frame that still arrives would mean that the peer leaves. The socket is closed
   * later, when another one has resumed the session or the peer leaves.
   */
  abandon(): void {
    this.#handlers = undefined;
  }

  /** Closes the socket. For the server, the peer leaves. */
  close(): void {
    this.#handlers = undefined;
    this.#socket.close();
  }

  #receive(text: unknown): void {
    const message = parse(text);
    if (message?.response === true && typeof message.id === 'number') {
      const { id, ok, data, errorCode, errorReason } = message;
      if (ok) this.#handlers?.answered({ id, data: data ?? {} });
      else this.#handlers?.answered({ id, error: { code: Number(errorCode), reason: String(errorReason) } });
    } else if (message?.notification === true && typeof message.method === 'string') {
      this.#handlers?.notified({ method: message.method, data: message.data ?? {} } as AnyNotification);
    }
  }
}

/** Returns undefined for texts that are not messages: a proxy wrote them, not the daemon. */
function parse(text: unknown): Record<string, unknown> | undefined {
  try {
    const message: unknown = JSON.parse(String(text));
    return typeof message === 'object' && message !== null ? (message as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
