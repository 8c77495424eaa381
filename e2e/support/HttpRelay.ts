import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Ending } from './stack.ts';

/** An HTTP relay on loopback that can answer instead of the server behind it. */
export class HttpRelay {
  readonly url: string;
  /** Returns whether it answered the request itself. */
  intercept: (incoming: IncomingMessage, answer: ServerResponse) => boolean = () => false;
  readonly #to: string;

  private constructor(server: Server, to: string) {
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    this.#to = to;
  }

  /** @param to the origin that it relays to. */
  static async start(t: Ending, to: string): Promise<HttpRelay> {
    // It closes no idle connection, because that could race a request.
    const server = createServer({ keepAliveTimeout: 0 });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const relay = new HttpRelay(server, to);
    server.on('request', (incoming, answer) => {
      if (!relay.intercept(incoming, answer)) relay.#forward(incoming, answer);
    });
    t.after(async () => server.close().closeAllConnections());
    return relay;
  }

  #forward(incoming: IncomingMessage, answer: ServerResponse): void {
    const { method, headers, url = '/' } = incoming;
    const onward = request(this.#to + url, { method, headers, agent: false }, (came) => {
      answer.writeHead(came.statusCode ?? 500, came.headers);
      came.pipe(answer);
    });
    onward.on('error', () => answer.destroy());
    answer.on('close', () => onward.destroy());
    incoming.pipe(onward);
  }
}
