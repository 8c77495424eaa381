import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { Ending } from './stack.ts';

/** A TCP relay on loopback that can fail as networks do. */
export class TcpProxy {
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  readonly port: number;
  /** The port on loopback that it relays to. */
  to: number;
  /** Called with the socket to the far end of each new connection, before anything comes. */
  tap: (far: Socket) => void = () => {};
  #delayMs = 0;
  #cut = false;

  private constructor(server: Server, to: number) {
    this.port = (server.address() as AddressInfo).port;
    this.to = to;
  }

  /** @param to the port on loopback that it relays to, where it is known already. */
  static async start(t: Ending, to = 0): Promise<TcpProxy> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const proxy = new TcpProxy(server, to);
    server.on('connection', (near) => proxy.#relay(near, connect(proxy.to, '127.0.0.1')));
    t.after(async () => {
      proxy.reset();
      server.close();
    });
    return proxy;
  }

  /** Resets every connection: both ends notice at once, and neither gets a close frame. */
  reset(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.resetAndDestroy();
    this.#pairs.clear();
  }

  /** Drops what either end of every connection sends from now on; neither notices. */
  blackhole(): void {
    for (const [near, far] of this.#pairs) {
      near.removeAllListeners('data').on('data', () => {});
      far.removeAllListeners('data').on('data', () => {});
      near.removeAllListeners('close');
      far.removeAllListeners('close');
    }
  }

  /** Drops everything, also of new connections, until `heal`. */
  cut(): void {
    this.#cut = true;
    this.blackhole();
  }

  heal(): void {
    this.#cut = false;
    this.reset();
  }

  /** Delays everything that is sent from now on. */
  delay(ms: number): void {
    this.#delayMs = ms;
  }

  #relay(near: Socket, far: Socket): void {
    const pair = [near, far] as const;
    this.#pairs.add(pair);
    this.tap(far);
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
    if (this.#cut) this.blackhole();
  }
}
