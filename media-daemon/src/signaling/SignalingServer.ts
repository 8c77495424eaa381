import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Listener } from '@mediasoup-server/process/listener';
import { SUBPROTOCOL } from '@mediasoup-server/proto/signaling';
import { type WebSocket, WebSocketServer } from 'ws';
import { RequestError } from '../errors.ts';
import type { Rooms } from '../rooms/Rooms.ts';
import { type Admission, offersProtoo, readAdmission } from './admission.ts';
import { Connection, type ConnectionOptions } from './Connection.ts';
import { WebSocketTransport, type WebSocketTransportOptions } from './WebSocketTransport.ts';

export type SignalingOptions = ConnectionOptions &
  WebSocketTransportOptions & {
    readonly maxFrameBytes: number;
    /** @throws RequestError 401 for a token that is not good for this connection. */
    readonly checkToken: (admission: Admission) => Promise<void>;
  };

/** Takes the WebSocket connections of an HTTP server. */
export class SignalingServer {
  readonly #sockets: WebSocketServer;
  readonly #connections = new Set<Connection>();
  readonly #options: SignalingOptions;

  constructor(listener: Listener, rooms: Rooms, options: SignalingOptions) {
    this.#options = options;
    this.#sockets = new WebSocketServer({
      noServer: true,
      maxPayload: options.maxFrameBytes,
      handleProtocols: () => SUBPROTOCOL,
    });
    listener.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) =>
      this.#upgrade(request, socket, head),
    );
    rooms.listen({
      roomClosed: () => {},
      peerRemoved: (peer, comeBack) => {
        for (const connection of this.#connections) if (connection.peer === peer) connection.end(comeBack);
      },
    });
  }

  /** Ends every connection; clients may come back. */
  close(): void {
    for (const connection of this.#connections) connection.end(true);
    this.#sockets.close();
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // A socket may be reset while it is being upgraded.
    socket.on('error', () => socket.destroy());
    if (!offersProtoo(request)) {
      refuseUpgrade(socket, `the WebSocket subprotocol must be "${SUBPROTOCOL}"`);
      return;
    }
    this.#sockets.handleUpgrade(request, socket, head, (webSocket) => this.#connect(request, webSocket));
  }

  #connect(request: IncomingMessage, webSocket: WebSocket): void {
    const { metrics, logger } = this.#options;
    const transport = new WebSocketTransport(webSocket, this.#options);
    metrics.sockets.inc();
    transport.once('close', () => metrics.sockets.dec());
    let admission: Admission;
    try {
      admission = readAdmission(request);
    } catch (error) {
      refuseForGood(transport, RequestError.from(error));
      return;
    }
    // The socket waits until the token is checked, so that no request overtakes the check.
    webSocket.pause();
    this.#options.checkToken(admission).then(
      () => {
        const connection = new Connection(admission, transport, this.#options);
        this.#connections.add(connection);
        transport.once('close', () => this.#connections.delete(connection));
        webSocket.resume();
      },
      (error: unknown) => {
        webSocket.resume();
        logger.info({ roomId: admission.roomId, peerId: admission.peerId }, 'token refused');
        refuseForGood(transport, RequestError.from(error));
      },
    );
  }
}

/** Browsers cannot read a refused upgrade, so whoever may not come back is let in, told why and closed. */
function refuseForGood(transport: WebSocketTransport, { code, message }: RequestError): void {
  transport
    .send({ notification: true, method: 'error', data: { code, reason: message } })
    .catch(() => {})
    .finally(() => transport.close());
}

function refuseUpgrade(socket: Duplex, detail: string): void {
  const body = JSON.stringify({
    type: 'about:blank',
    title: 'The request is not valid',
    status: 400,
    code: 'INVALID_REQUEST',
    detail,
  });
  socket.end(
    `HTTP/1.1 400 Bad Request\r\nContent-Type: application/problem+json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
