import type { types } from 'mediasoup';
import { closeOn } from '../workers/closeOn.ts';
import { SOCKET_BUFFER_BYTES } from '../workers/WorkerPool.ts';
import type { RoomRouter } from './RoomRouter.ts';

/** A link's end on the router that gives, and the one on the router that takes. */
export type LinkEnds = { readonly near: types.PipeTransport; readonly far: types.PipeTransport };

/**
 * Two transports, over which two routers of a room give each other media and data. mediasoup's own `pipeToRouter` would
 * do, but it keeps a pair that could not be made for good, and a worker's death while it forwards a pause is an unhandled
 * rejection.
 */
export class RouterLink {
  readonly #routers: readonly [RoomRouter, RoomRouter];
  readonly #opened: Promise<readonly [types.PipeTransport, types.PipeTransport]>;
  #closed = false;

  /** @param ports the UDP ports of loopback that it may take. */
  constructor(a: RoomRouter, b: RoomRouter, ports: types.TransportPortRange) {
    this.#routers = [a, b];
    this.#opened = this.#open(ports);
    // Callers that wait for it get the error; the next one opens a new link.
    this.#opened.catch(() => this.close());
  }

  get closed(): boolean {
    return this.#closed || this.#routers.some((router) => router.closed);
  }

  joins(a: RoomRouter, b: RoomRouter): boolean {
    return this.#routers.includes(a) && this.#routers.includes(b);
  }

  async from(router: RoomRouter): Promise<LinkEnds> {
    const [a, b] = await this.#opened;
    return router === this.#routers[0] ? { near: a, far: b } : { near: b, far: a };
  }

  /** Ends it and every pipe over it. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#opened.then(
      (transports) => this.#closeEnds(transports),
      () => {},
    );
  }

  async #open(ports: types.TransportPortRange): Promise<readonly [types.PipeTransport, types.PipeTransport]> {
    const made = await Promise.allSettled(
      this.#routers.map(async ({ opened }) =>
        (await opened).createPipeTransport({
          listenInfo: {
            protocol: 'udp',
            ip: '127.0.0.1',
            portRange: ports,
            sendBufferSize: SOCKET_BUFFER_BYTES,
            recvBufferSize: SOCKET_BUFFER_BYTES,
          },
          enableSctp: true,
          // What a busy worker drops of a burst is sent again.
          enableRtx: true,
        }),
      ),
    );
    const transports = made.map((result) => (result.status === 'fulfilled' ? result.value : undefined));
    try {
      const [a, b] = transports;
      if (!a || !b) throw made.find((result) => result.status === 'rejected')?.reason;
      await Promise.all([connect(a, b), connect(b, a)]);
      return [a, b];
    } catch (error) {
      this.#closeEnds(transports);
      throw error;
    }
  }

  /** Each is on the router of the same place. */
  #closeEnds(transports: readonly (types.PipeTransport | undefined)[]): void {
    for (const [at, { pooledWorker }] of this.#routers.entries()) closeOn(pooledWorker, transports[at]);
  }
}

const connect = (from: types.PipeTransport, to: types.PipeTransport): Promise<void> =>
  from.connect({ ip: to.tuple.localAddress, port: to.tuple.localPort });
