import type { MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import type { BatchingSchema, LoadSchema } from '@mediasoup-server/proto/registry';
import type { Rooms } from '../rooms/Rooms.ts';
import { EventLoopWatch } from '../telemetry/EventLoopWatch.ts';
import type { BatchCounters } from '../workers/WorkerBatch.ts';
import type { WorkerPool } from '../workers/WorkerPool.ts';
import { NetworkMeter } from './NetworkMeter.ts';

/** How often the network and the event loop are measured, ms. Heartbeats and metrics give the last measurement. */
const PERIOD_MS = 2000;

export type LoadMeterOptions = {
  readonly rooms: Rooms;
  readonly pool: WorkerPool;
  /** Bits a second that the machine's network can carry in one direction. */
  readonly maxNetworkBitrate: number;
};

/** Measures the load of the daemon. */
export class LoadMeter {
  readonly #options: LoadMeterOptions;
  readonly #network = new NetworkMeter();
  readonly #loop = new EventLoopWatch();
  readonly #timer: NodeJS.Timeout;
  #networkShare = 0;
  #delayMs = 0;
  #longestMs = 0;
  #measuredAt = performance.now();

  constructor(options: LoadMeterOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#measure(), PERIOD_MS).unref();
    this.#measure();
  }

  /** The busiest worker's use of its core, 0 to 1. */
  get workerCpu(): number {
    return Math.max(0, ...this.#options.pool.workers.map(({ cpu }) => cpu.ratio));
  }

  /** The use of the machine's network in its busier direction, 0 to 1. */
  get network(): number {
    return this.#networkShare;
  }

  /** How long new work waits for the event loop on average, ms. */
  get eventLoopDelayMs(): number {
    return this.#delayMs;
  }

  /** The longest turn of the event loop since the last call, ms. */
  takeLongestMs(): number {
    const longestMs = this.#longestMs;
    this.#longestMs = 0;
    return longestMs;
  }

  read(): MessageInitShape<typeof LoadSchema> {
    const { rooms } = this.#options;
    const peers = rooms.open.flatMap((room) => room.peers);
    return {
      network: this.network,
      rooms: rooms.size,
      peers: peers.length,
      producers: peers.reduce((sum, peer) => sum + peer.producerCount, 0),
      consumers: peers.reduce((sum, peer) => sum + peer.consumerCount, 0),
      workerCpu: this.workerCpu,
      eventLoopDelay: durationFromMs(Math.round(this.eventLoopDelayMs)),
      batching: this.#batching(),
    };
  }

  #batching(): MessageInitShape<typeof BatchingSchema> {
    const { workers, batches } = this.#options.pool;
    const sum = (read: (counters: BatchCounters) => number) => batches.reduce((all, one) => all + read(one), 0);
    return {
      workers: workers.length,
      batchingWorkers: batches.length,
      packetsPerMessage:
        sum(({ datagrams }) => datagrams) /
        Math.max(
          sum(({ messages }) => messages),
          1,
        ),
      refusedMessages: BigInt(sum(({ refusedMessages }) => refusedMessages)),
    };
  }

  #measure(): void {
    const now = performance.now();
    const elapsedMs = Math.max(now - this.#measuredAt, 1);
    this.#measuredAt = now;
    const { meanMs, longestMs } = this.#loop.take();
    this.#delayMs = meanMs;
    this.#longestMs = Math.max(this.#longestMs, longestMs);
    this.#networkShare = this.#network.read(elapsedMs) / this.#options.maxNetworkBitrate;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#loop.close();
  }
}
