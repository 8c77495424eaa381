import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { SUBPROTOCOL } from '@mediasoup-server/proto/signaling';
import type { Listener } from '@mediasoup-server/server-kit/listener';
import proxyAddr from 'proxy-addr';
import { type WebSocket, WebSocketServer } from 'ws';
import { IpLimits } from '../admission/IpLimits.ts';
import { type JoinRequest, offersProtoo, readJoinRequest } from '../admission/joinRequest.ts';
import type { Ticket } from '../admission/Ticket.ts';
import { RequestError } from '../errors.ts';
import type { Rooms } from '../rooms/Rooms.ts';
import { Connection, type ConnectionOptions } from './Connection.ts';
import { WebSocketTransport, type WebSocketTransportOptions } from './WebSocketTransport.ts';
import { describeError } from './wireShapes.ts';

export type SignalingOptions = ConnectionOptions &
  Omit<WebSocketTransportOptions, 'messageRate' | 'onLimit'> & {
    readonly maxFrameBytes: number;
    readonly maxIpSockets: number;
    readonly ipSocketsPerSecond: number;
    readonly ipSocketBurst: number;
    readonly messagesPerSecond: number;
    readonly messageBurst: number;
    /** The addresses and networks whose `X-Forwarded-For` is trusted. */
    readonly trustedProxies: readonly string[];
  };

/** `Retry-After` of temporary refusals, seconds. */
const RETRY_AFTER_SECONDS = 2;

/** How long a connection without a valid token may take to resume a session, ms. */
const RESUME_WITHOUT_TOKEN_MS = 2000;

/** Accepts the WebSocket connections of an HTTP server. */
export class SignalingServer {
  readonly #sockets: WebSocketServer;
  readonly #connections = new Set<Connection>();
  readonly #rooms: Rooms;
  readonly #options: SignalingOptions;
  readonly #ipLimits: IpLimits;
  readonly #isTrustedProxy: (address: string, hop: number) => boolean;

  constructor(listener: Listener, rooms: Rooms, options: SignalingOptions) {
    this.#rooms = rooms;
    this.#options = options;
    this.#ipLimits = new IpLimits({
      maxSockets: options.maxIpSockets,
      rate: { perSecond: options.ipSocketsPerSecond, burst: options.ipSocketBurst },
    });
    this.#isTrustedProxy = proxyAddr.compile([...options.trustedProxies]);
    this.#sockets = new WebSocketServer({
      noServer: true,
      maxPayload: options.maxFrameBytes,
      handleProtocols: () => SUBPROTOCOL,
    });
    listener.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) =>
      this.#upgrade(request, socket, head),
    );
  }

  /** Closes every connection. Clients may connect again. */
  close(): void {
    for (const connection of this.#connections) connection.end(true);
    this.#sockets.close();
    this.#ipLimits.stop();
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // A socket may be reset while it is being upgraded.
    socket.on('error', () => socket.destroy());
    if (!offersProtoo(request)) {
      refuseUpgrade(socket, 400, 'INVALID_REQUEST', `the WebSocket subprotocol must be "${SUBPROTOCOL}"`);
      return;
    }
    const ip = proxyAddr(request, this.#isTrustedProxy);
    const over = this.#ipLimits.open(ip);
    if (over) {
      this.#options.metrics.limited.inc({ limit: over });
      refuseUpgrade(socket, 429, 'TOO_MANY_REQUESTS', `${over}: too many sockets of this address`);
      return;
    }
    socket.once('close', () => this.#ipLimits.close(ip));
    const asked = tryToRead(request);
    if (asked instanceof RequestError) {
      this.#sockets.handleUpgrade(request, socket, head, (webSocket) =>
        refuseForGood(this.#transport(webSocket, socket), asked),
      );
      return;
    }
    // One verification of the token serves the whole join.
    const authorize = rememberSuccess(() => this.#options.admission.authorize(asked));
    const upgrade = () =>
      this.#sockets.handleUpgrade(request, socket, head, (webSocket) =>
        this.#connect(asked, authorize, this.#transport(webSocket, socket)),
      );
    const refusal = this.#options.admission.capacity();
    if (!refusal) {
      upgrade();
      return;
    }
    void this.#mayComeBack(asked, authorize).then((may) => {
      if (socket.destroyed) return;
      if (may) {
        upgrade();
        return;
      }
      if (refusal.limit !== undefined) this.#options.metrics.limited.inc({ limit: refusal.limit });
      refuseUpgrade(socket, 503, 'NO_CAPACITY', refusal.reason);
    });
  }

  /**
   * Whether the peer is in the room and the connection belongs to it. The token is verified first, so that neither the answer
   * nor its timing reveals to others who is in the room.
   */
  async #mayComeBack(request: JoinRequest, authorize: () => Promise<Ticket>): Promise<boolean> {
    if (this.#showsSession(request)) return true;
    try {
      await authorize();
    } catch {
      return false;
    }
    return this.#rooms.hasPeer(request.roomId, request.peerId);
  }

  #showsSession(request: JoinRequest): boolean {
    return request.sessionId !== undefined && this.#options.sessions.find(request.sessionId, request) !== undefined;
  }

  #transport(webSocket: WebSocket, stream: Duplex): WebSocketTransport {
    const { metrics, messagesPerSecond, messageBurst } = this.#options;
    const transport = new WebSocketTransport(webSocket, stream, {
      ...this.#options,
      messageRate: { perSecond: messagesPerSecond, burst: messageBurst },
      onLimit: (limit) => metrics.limited.inc({ limit }),
    });
    metrics.sockets.inc();
    transport.once('close', () => metrics.sockets.dec());
    return transport;
  }

  #connect(request: JoinRequest, authorize: () => Promise<Ticket>, transport: WebSocketTransport): void {
    const connection = new Connection(request, authorize, transport, this.#options);
    this.#connections.add(connection);
    transport.once('close', () => this.#connections.delete(connection));
    // Refuses clients that may not join before they send joinRoom.
    this.#options.admission.admit(request, authorize).catch((error: unknown) => {
      const refused = RequestError.from(error);
      if (this.#showsSession(request)) return;
      // A client without a valid token may still resume a session by its id. It gets the same time whether its peer is in the
      // room or not, so that a stranger does not learn that.
      if (refused.code === 'UNAUTHORIZED') connection.refuseUnlessJoined(refused, RESUME_WITHOUT_TOKEN_MS);
      else if (!this.#rooms.hasPeer(request.roomId, request.peerId)) connection.refuse(refused);
    });
  }
}

/** Calls `verify` until it succeeds, and returns that result from then on. */
function rememberSuccess(verify: () => Promise<Ticket>): () => Promise<Ticket> {
  let ticket: Promise<Ticket> | undefined;
  return () => {
    ticket ??= verify().catch((error: unknown) => {
      ticket = undefined;
      throw error;
    });
    return ticket;
  };
}

function tryToRead(request: IncomingMessage): JoinRequest | RequestError {
  try {
    return readJoinRequest(request);
  } catch (error) {
    return RequestError.from(error);
  }
}

/** Browsers cannot read a refused upgrade. So a final refusal accepts the socket, sends the reason and closes. */
function refuseForGood(transport: WebSocketTransport, error: RequestError): void {
  transport
    .send({ notification: true, method: 'error', data: describeError(error) })
    .catch(() => {})
    .finally(() => transport.close());
}

function refuseUpgrade(socket: Duplex, status: 400 | 429 | 503, code: string, detail: string): void {
  const body = JSON.stringify({ type: 'about:blank', title: STATUS_CODES[status], status, code, detail });
  // A client that never closes its half would keep the socket open.
  socket.once('finish', () => socket.destroy());
  socket.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      'Content-Type: application/problem+json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      ...(status === 400 ? [] : [`Retry-After: ${RETRY_AFTER_SECONDS}`]),
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
  );
}
