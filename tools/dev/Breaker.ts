import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type { Fleet } from './Fleet.ts';

/** The failures that the demo page can cause. */
const BREAKS = {
  '/socket': async (fleet: Fleet, { daemonId, peerId }: Target) => fleet.cutSocket(daemonId, peerId),
  '/worker': (fleet: Fleet, { daemonId }: Target) => fleet.killWorkers(daemonId),
  '/daemon': (fleet: Fleet, { daemonId }: Target) => fleet.end(daemonId, 'SIGKILL'),
  '/drain': (fleet: Fleet, { daemonId }: Target) => fleet.end(daemonId, 'SIGTERM'),
} as const;

interface Target {
  readonly daemonId: string;
  readonly peerId: string;
}

/**
 * Causes failures for the demo page of `make run`. It listens on loopback and checks the request's origin, so that another
 * page that a developer visits cannot kill anything.
 */
export class Breaker {
  readonly #server: Server;
  #fleet: Fleet | undefined;
  #origins: readonly string[] = [];

  private constructor(server: Server) {
    this.#server = server;
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      this.#answer(request, response).catch((error: Error) => {
        process.stderr.write(`breaking ${request.url}: ${error.message}\n`);
        response.writeHead(500).end(error.message);
      });
    });
  }

  static async listen(): Promise<Breaker> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Breaker(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Starts taking requests. @param pageUrl the URL of the demo page */
  obey(fleet: Fleet, pageUrl: string): void {
    this.#fleet = fleet;
    const { port } = new URL(pageUrl);
    this.#origins = [`http://127.0.0.1:${port}`, `http://localhost:${port}`];
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { origin = '', host } = request.headers;
    // Refuses DNS rebinding: another name that resolves to loopback.
    if (!this.#fleet || !this.#origins.includes(origin) || `http://${host}` !== this.url) {
      response.writeHead(403).end();
      return;
    }
    response.setHeader('Access-Control-Allow-Origin', origin);
    if (request.method === 'OPTIONS') {
      response.writeHead(204, { 'Access-Control-Allow-Headers': 'content-type' }).end();
      return;
    }
    const breaking = BREAKS[request.url as keyof typeof BREAKS] as (typeof BREAKS)['/socket'] | undefined;
    if (request.method !== 'POST' || !breaking) {
      response.writeHead(404).end();
      return;
    }
    const target = Object(await json(request).catch(() => undefined)) as Partial<Target>;
    if (typeof target.daemonId !== 'string' || typeof target.peerId !== 'string') {
      response.writeHead(400).end('daemonId and peerId are missing');
      return;
    }
    if (!this.#fleet.has(target.daemonId)) {
      response.writeHead(404).end('there is no such daemon here');
      return;
    }
    await breaking(this.#fleet, target as Target);
    response.writeHead(204).end();
  }
}
