import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** Relays a daemon's WebSocket port on loopback, so that a peer's socket can be dropped as a network drops it. */
export class SocketRelay {
  readonly #server: Server;
  readonly #pairs = new Map<Socket, { readonly far: Socket; peerId?: string }>();
  /** The daemon's own port, known once it runs. */
  to = 0;

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (near) => this.#relay(near));
  }

  /** @param port 0 lets the system choose */
  static async listen(port: number): Promise<SocketRelay> {
    const server = createServer();
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return new SocketRelay(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Resets the peer's connections: neither end gets a close frame, which would mean that the peer leaves. */
  cut(peerId: string): void {
    for (const [near, pair] of this.#pairs) {
      if (pair.peerId !== peerId) continue;
      near.resetAndDestroy();
      pair.far.resetAndDestroy();
    }
  }

  /** Stops accepting connections. Open ones stay until they end. */
  close(): void {
    this.#server.close();
  }

  #relay(near: Socket): void {
    const far = connect(this.to, '127.0.0.1');
    const pair: { readonly far: Socket; peerId?: string } = { far };
    this.#pairs.set(near, pair);
    // The query of the request line names the peer.
    near.once('data', (chunk) => {
      const [, target = '/'] = chunk.toString('latin1', 0, 4096).split(' ', 2);
      const peerId = URL.parse(target, 'ws://relay')?.searchParams.get('peerId');
      if (peerId) pair.peerId = peerId;
    });
    near.pipe(far);
    far.pipe(near);
    for (const [socket, other] of [[near, far] as const, [far, near] as const]) {
      // A socket that fails emits `close` as well.
      socket.on('error', () => {});
      socket.on('close', () => {
        this.#pairs.delete(near);
        other.destroy();
      });
    }
  }
}
