import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { TestContext } from 'node:test';

/** A UDP relay on loopback that can lose some or all packets. */
export class UdpRelay {
  readonly #socket: Socket;
  readonly #to: number;
  /** A socket for each sender, so that the other side can tell them apart. */
  readonly #beyond = new Map<string, Socket>();
  /** Whether it loses everything. */
  cut = false;
  /** Whether it loses a packet, in either direction. */
  loses: (packet: Buffer) => boolean = () => false;

  private constructor(socket: Socket, to: number) {
    this.#socket = socket;
    this.#to = to;
    socket.on('message', (packet, { address, port }) => {
      if (this.cut || this.loses(packet)) return;
      this.#from(address, port).send(packet, this.#to, '127.0.0.1');
    });
  }

  /** @param to the port on loopback that it relays to. */
  static async start(t: TestContext, to: number): Promise<UdpRelay> {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const relay = new UdpRelay(socket, to);
    t.after(() => {
      socket.close();
      for (const beyond of relay.#beyond.values()) beyond.close();
    });
    return relay;
  }

  get port(): number {
    return this.#socket.address().port;
  }

  #from(address: string, port: number): Socket {
    const name = `${address}:${port}`;
    const existing = this.#beyond.get(name);
    if (existing) return existing;
    const beyond = createSocket('udp4');
    beyond.on('message', (packet) => {
      if (!this.cut && !this.loses(packet)) this.#socket.send(packet, port, address);
    });
    this.#beyond.set(name, beyond);
    return beyond;
  }
}
