import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { SUBPROTOCOL } from '@mediasoup-server/proto/protoo';
import { type WebSocket, WebSocketServer } from 'ws';

const DEADLINE_MS = 30_000;

export interface ScriptedRequest {
  readonly id: number;
  readonly method: string;
  readonly data: Record<string, unknown>;
}

/** A daemon's end of one socket. */
export class ScriptedSocket {
  /** The path and the query that it was opened with. */
  readonly path: string;
  /** Every request that came, in order. */
  readonly requests: ScriptedRequest[] = [];
  /** With what the client closed it; undefined while it is open. */
  closeCode: number | undefined;
  readonly #socket: WebSocket;
  readonly #next: (what: string, find: () => ScriptedRequest | undefined) => Promise<ScriptedRequest>;

  constructor(
    socket: WebSocket,
    path: string,
    next: (what: string, find: () => ScriptedRequest | undefined) => Promise<ScriptedRequest>,
  ) {
    this.path = path;
    this.#socket = socket;
    this.#next = next;
    socket.on('message', (text) => this.requests.push(JSON.parse(String(text))));
    socket.on('close', (code) => {
      this.closeCode = code;
    });
  }

  /** The first request of a method, which may be still to come. */
  request(method: string): Promise<ScriptedRequest> {
    return this.#next(`the request ${method}`, () => this.requests.find((request) => request.method === method));
  }

  answer({ id }: ScriptedRequest, data: unknown = {}): void {
    this.write({ response: true, id, ok: true, data });
  }

  refuse({ id }: ScriptedRequest, errorCode: number, errorReason = 'refused'): void {
    this.write({ response: true, id, ok: false, errorCode, errorReason });
  }

  notify(method: string, data: unknown): void {
    this.write({ notification: true, method, data });
  }

  write(message: unknown): void {
    this.#socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  close(code: number): void {
    this.#socket.close(code);
  }

  /** Ends the connection without a close frame. */
  reset(): void {
    this.#socket.terminate();
  }
}

/** A daemon of which a test writes every answer; its sockets are real ones. */
export class ScriptedDaemon {
  /** Every socket that was opened, in order. */
  readonly sockets: ScriptedSocket[] = [];
  readonly url: string;

  static async start(t: TestContext): Promise<ScriptedDaemon> {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => SUBPROTOCOL });
    t.after(() => {
      for (const socket of server.clients) socket.terminate();
      server.close();
    });
    await once(server, 'listening');
    return new ScriptedDaemon(server);
  }

  private constructor(server: WebSocketServer) {
    this.url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/?token=t`;
    server.on('connection', (socket, { url = '' }) =>
      this.sockets.push(new ScriptedSocket(socket, url, (what, find) => this.until(what, find))),
    );
  }

  /** The socket that was opened so manieth, counted from 0; it may be still to come. */
  socket(index: number): Promise<ScriptedSocket> {
    return this.until(`socket ${index}`, () => this.sockets[index]);
  }

  /** Waits until something is there. */
  async until<T>(what: string, find: () => T | undefined | false): Promise<T> {
    const deadline = performance.now() + DEADLINE_MS;
    for (;;) {
      const found = find();
      if (found !== undefined && found !== false) return found;
      if (performance.now() > deadline) throw new Error(`waited ${DEADLINE_MS / 1000} s for ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}
