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

/** How a socket ended: whether the server said that this client must not come back. */
export interface SocketEnd {
  readonly forGood: boolean;
}

export interface ProtooSocketHandlers {
  answered(answer: Answer): void;
  notified(notification: AnyNotification): void;
  ended(end: SocketEnd): void;
}

/** A WebSocket that speaks protoo: from its opening to its end, once. */
export class ProtooSocket {
  readonly #socket: WebSocket;
  #handlers: ProtooSocketHandlers | undefined;

  /**
   * Opens a socket; what it receives goes to the handlers.
   *
   * @param timeoutMs how long it may take to open
   * @param signal gives up while it opens
   * @throws {RoomError} DAEMON_UNREACHABLE; a browser does not tell why
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
    // One that is closing takes nothing more; its end is told, and what was not answered is seen to then.
    if (this.#socket.readyState === WebSocket.OPEN) {
      this.#socket.send(JSON.stringify({ request: true, id, method, data }));
    }
  }

  /**
   * Stops listening, without a close frame: that would mean leaving, should it still arrive. The socket is closed later,
   * when another one carries the session or the peer leaves.
   */
  abandon(): void {
    this.#handlers = undefined;
  }

  /** Closes the socket, which tells the server that the peer leaves. */
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

/** What is not a message is not the daemon's: something between it and here wrote it, and it means nothing. */
function parse(text: unknown): Record<string, unknown> | undefined {
  try {
    const message: unknown = JSON.parse(String(text));
    return typeof message === 'object' && message !== null ? (message as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
