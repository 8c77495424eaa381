import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

/** A TCP relay on loopback that can be made to fail as networks do. */
export class TcpProxy {
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #delayMs = 0;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** @param to the port on loopback that it relays to. */
  static async start(t: TestContext, to: number): Promise<TcpProxy> {
    const server = createServer();
    const proxy = new TcpProxy(server);
    server.on('connection', (near) => proxy.#relay(near, connect(to, '127.0.0.1')));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => {
      proxy.reset();
      server.close();
    });
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Resets every connection: both ends notice at once, and neither gets a close frame. */
  reset(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.resetAndDestroy();
    this.#pairs.clear();
  }

  /** Swallows what either end of every connection sends from now on; neither notices. */
  blackhole(): void {
    for (const [near, far] of this.#pairs) {
      near.removeAllListeners('data').on('data', () => {});
      far.removeAllListeners('data').on('data', () => {});
      near.removeAllListeners('close');
      far.removeAllListeners('close');
    }
  }

  /** Holds back whatever is sent from now on for so long. */
  delay(ms: number): void {
    this.#delayMs = ms;
  }

  #relay(near: Socket, far: Socket): void {
    const pair = [near, far] as const;
    this.#pairs.add(pair);
    const forward = (from: Socket, to: Socket) => {
      from.on('data', (chunk) => void setTimeout(() => to.write(chunk), this.#delayMs));
      from.on('error', () => {});
      from.on('close', () => {
        this.#pairs.delete(pair);
        to.destroy();
      });
    };
    forward(near, far);
    forward(far, near);
  }
}
