import type { types } from 'mediasoup';
import { closeOn } from '../workers/closeOn.ts';
import { SOCKET_BUFFER_BYTES } from '../workers/WorkerPool.ts';
import type { Link, PipeEnds, Sent } from './Link.ts';
import type { RoomRouter } from './RoomRouter.ts';

/** The transport on the router that gives, and the one on the router that takes. */
type LinkEnds = { readonly near: types.PipeTransport; readonly far: types.PipeTransport };

/**
 * A link between two routers of a room on this daemon: two transports over loopback. Not mediasoup's `pipeToRouter`, which
 * keeps a pair for good that could not be created, and which leaves an unhandled rejection when a worker dies while it
 * forwards a pause.
 */
export class RouterLink implements Link {
  readonly #routers: readonly [RoomRouter, RoomRouter];
  readonly #opened: Promise<readonly [types.PipeTransport, types.PipeTransport]>;
  #closed = false;

  /** @param ports the UDP ports of loopback that it may use. */
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

  async carry(sent: Sent, from: RoomRouter): Promise<PipeEnds> {
    const [a, b] = await this.#opened;
    const ends = from === this.#routers[0] ? { near: a, far: b } : { near: b, far: a };
    return 'kind' in sent ? carryMedia(ends, sent) : carryData(ends, sent);
  }

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
          // Packets of a burst that a busy worker drops are retransmitted.
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

  /** Each transport is on the router of the same index. */
  #closeEnds(transports: readonly (types.PipeTransport | undefined)[]): void {
    for (const [at, { pooledWorker }] of this.#routers.entries()) closeOn(pooledWorker, transports[at]);
  }
}

const connect = (from: types.PipeTransport, to: types.PipeTransport): Promise<void> =>
  from.connect({ ip: to.tuple.localAddress, port: to.tuple.localPort });

async function carryMedia({ near, far }: LinkEnds, { id, kind }: types.Producer): Promise<PipeEnds> {
  const consumer = await near.consume({ producerId: id });
  try {
    const { rtpParameters, producerPaused: paused } = consumer;
    // Without a delay of its own for key frame requests: that of the origin governs.
    return { near: consumer, far: await far.produce({ id, kind, rtpParameters, paused }) };
  } catch (error) {
    consumer.close();
    throw error;
  }
}

async function carryData({ near, far }: LinkEnds, { id, label, protocol }: types.DataProducer): Promise<PipeEnds> {
  const consumer = await near.consumeData({ dataProducerId: id });
  try {
    const { sctpStreamParameters } = consumer;
    const options = { id, label, protocol, ...(sctpStreamParameters && { sctpStreamParameters }) };
    return { near: consumer, far: await far.produceData(options) };
  } catch (error) {
    consumer.close();
    throw error;
  }
}
