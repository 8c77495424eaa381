import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@mediasoup-server/server-kit/logger';
import type { types } from 'mediasoup';
import type { Rooms } from '../rooms/Rooms.ts';
import type { Metrics } from './metrics.ts';

/** The shortest time between two batches, ms, so that other work is not delayed. Batches, since each request wakes the process. */
const LEAST_PAUSE_MS = 1000;
/** The most streams of a batch. 50 streams a second cost a fifth of a percent of a core (tools/bench/MediaMeter.bench.ts). */
const MAX_BATCH = 50;

type Stream = types.Producer | types.Consumer;
type Counts = { readonly bytes: number; readonly packets: number; readonly lost: number };

export type MediaMeterOptions = {
  /** Milliseconds in which each stream's statistics are read once, if the rate limit allows. */
  readonly mediaStatsIntervalMs: number;
  readonly metrics: Pick<Metrics, 'rtpBytes' | 'rtpPackets' | 'rtpLost' | 'mediaStatsSeconds'>;
  readonly logger: Logger;
};

/**
 * Counts the media of all peers with mediasoup's statistics of producers and consumers. Each costs a request to the worker, so
 * they are read in batches at a bounded rate, and never because the metrics are read. What a stream carries between its last
 * reading and its end is not counted.
 */
export class MediaMeter {
  readonly #rooms: Rooms;
  readonly #options: MediaMeterOptions;
  readonly #counted = new WeakMap<Stream, Counts>();
  readonly #closing = new AbortController();

  constructor(rooms: Rooms, options: MediaMeterOptions) {
    this.#rooms = rooms;
    this.#options = options;
    void this.#run();
  }

  close(): void {
    this.#closing.abort();
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      const startedAt = performance.now();
      await this.#pass(signal);
      this.#options.metrics.mediaStatsSeconds.set((performance.now() - startedAt) / 1000);
    }
  }

  /** Reads the statistics of every present stream. */
  async #pass(signal: AbortSignal): Promise<void> {
    const streams = this.#rooms.open
      .flatMap((room) => room.peers.map((peer) => ({ peer, roomId: room.id })))
      .flatMap(({ peer, roomId }) =>
        [...peer.producers.media, ...peer.consumers.media].map((stream) => ({
          stream,
          ids: { roomId, peerId: peer.id, streamId: stream.id },
        })),
      );
    const batches = Math.max(1, Math.ceil(streams.length / MAX_BATCH));
    const pauseMs = Math.max(LEAST_PAUSE_MS, this.#options.mediaStatsIntervalMs / batches);
    for (let turn = 0; turn < batches; turn++) {
      const batch = streams.slice(turn * MAX_BATCH, (turn + 1) * MAX_BATCH);
      await Promise.all(batch.map(({ stream, ids }) => (stream.closed ? undefined : this.#count(stream, ids))));
      await delay(pauseMs, undefined, { ref: false, signal }).catch(() => {});
      if (signal.aborted) return;
    }
  }

  async #count(stream: Stream, ids: object): Promise<void> {
    const { rtpBytes, rtpPackets, rtpLost } = this.#options.metrics;
    try {
      const now = sumOf(await stream.getStats());
      const before = this.#counted.get(stream) ?? { bytes: 0, packets: 0, lost: 0 };
      this.#counted.set(stream, now);
      const labels = { direction: 'producerId' in stream ? 'out' : 'in', kind: stream.kind };
      // Counters restart with a layer, and packets counted as lost may still arrive.
      rtpBytes.inc(labels, Math.max(0, now.bytes - before.bytes));
      rtpPackets.inc(labels, Math.max(0, now.packets - before.packets));
      rtpLost.inc(labels, Math.max(0, now.lost - before.lost));
    } catch (error) {
      if (!stream.closed) this.#options.logger.warn({ err: error, ...ids }, 'stream has no statistics');
    }
  }
}

/** A consumer's statistics include those of its producer, which are left out. */
function sumOf(stats: readonly (types.ProducerStat | types.ConsumerStat)[]): Counts {
  const sum = { bytes: 0, packets: 0, lost: 0 };
  const sending = stats.some(({ type }) => type === 'outbound-rtp');
  for (const { type, byteCount, packetCount, packetsLost } of stats) {
    if (sending && type !== 'outbound-rtp') continue;
    sum.bytes += byteCount;
    sum.packets += packetCount;
    sum.lost += packetsLost;
  }
  return sum;
}
