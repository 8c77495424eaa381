import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { LoadSchema } from '@mediasoup-server/proto/registry';
import type { types } from 'mediasoup';
import type { Rooms } from '../rooms/Rooms.ts';
import type { WorkerPool } from '../workers/WorkerPool.ts';
import { NetworkMeter } from './NetworkMeter.ts';

/** Measures what the daemon carries, from one reading to the next. */
export class LoadMeter {
  readonly #rooms: Rooms;
  readonly #pool: WorkerPool;
  readonly #network = new NetworkMeter();
  readonly #maxNetworkBitrate: number;
  readonly #delay = monitorEventLoopDelay({ resolution: 20 });
  #cpuBefore = new WeakMap<types.Worker, number>();
  #readAt = performance.now();

  /** @param maxNetworkBitrate bits a second that the machine's network can carry in one direction. */
  constructor(rooms: Rooms, pool: WorkerPool, maxNetworkBitrate: number) {
    this.#maxNetworkBitrate = maxNetworkBitrate;
    this.#rooms = rooms;
    this.#pool = pool;
    this.#delay.enable();
  }

  async read(): Promise<MessageInitShape<typeof LoadSchema>> {
    const now = performance.now();
    const elapsed = Math.max(now - this.#readAt, 1);
    this.#readAt = now;
    const shares = await Promise.all(this.#pool.workers.map(({ worker }) => this.#cpuShare(worker, elapsed)));
    const delayNanos = Number.isFinite(this.#delay.mean) ? Math.round(this.#delay.mean) : 0;
    this.#delay.reset();
    const peers = this.#rooms.list().flatMap((room) => room.peers);
    const network = (await this.#network.read(elapsed)) / this.#maxNetworkBitrate;
    return {
      network,
      rooms: this.#rooms.size,
      peers: peers.length,
      producers: peers.reduce((sum, peer) => sum + peer.producerCount, 0),
      consumers: peers.reduce((sum, peer) => sum + peer.consumerCount, 0),
      workerCpu: Math.max(0, ...shares),
      eventLoopDelay: { seconds: 0n, nanos: Math.min(delayNanos, 999_999_999) },
    };
  }

  /** Milliseconds of CPU time over milliseconds that passed; 0 for a worker that just died. */
  async #cpuShare(worker: types.Worker, elapsed: number): Promise<number> {
    if (worker.closed) return 0;
    try {
      const usage = await worker.getResourceUsage();
      const cpu = usage.ru_utime + usage.ru_stime;
      const before = this.#cpuBefore.get(worker) ?? cpu;
      this.#cpuBefore.set(worker, cpu);
      return (cpu - before) / elapsed;
    } catch (error) {
      if (worker.closed) return 0;
      throw error;
    }
  }

  close(): void {
    this.#delay.disable();
  }
}
