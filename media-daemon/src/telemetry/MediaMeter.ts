import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@mediasoup-server/server-kit/logger';
import type { types } from 'mediasoup';
import type { Rooms } from '../rooms/Rooms.ts';
import type { Metrics } from './metrics.ts';

/** Streams are asked in batches, since each asking wakes the process, and at least so far apart, ms, so that nothing else waits. */
const LEAST_PAUSE_MS = 1000;
/** The most streams of a batch: 50 a second cost a fifth of a percent of a core, however many there are (MediaMeter.bench.ts). */
const MAX_BATCH = 50;

type Stream = types.Producer | types.Consumer;
type Counts = { readonly bytes: number; readonly packets: number; readonly lost: number };

export type MediaMeterOptions = {
  /** Milliseconds in which each stream is asked once, where that is possible within the limit. */
  readonly mediaStatsIntervalMs: number;
  readonly metrics: Pick<Metrics, 'rtpBytes' | 'rtpPackets' | 'rtpLost' | 'mediaStatsSeconds'>;
  readonly logger: Logger;
};

/**
 * Counts what peers send and are sent, by mediasoup's own statistics of producers and consumers. Each costs a request to
 * the worker: so they are asked for in batches and at a bounded rate, and never because somebody reads the metrics.
 * What a stream carried between its last turn and its end is not counted.
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

  /** Gives every stream that there is now its turn. */
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
      // Layers begin anew, and what was lost may come after all.
      rtpBytes.inc(labels, Math.max(0, now.bytes - before.bytes));
      rtpPackets.inc(labels, Math.max(0, now.packets - before.packets));
      rtpLost.inc(labels, Math.max(0, now.lost - before.lost));
    } catch (error) {
      if (!stream.closed) this.#options.logger.warn({ err: error, ...ids }, 'stream has no statistics');
    }
  }
}

/** A consumer's statistics come with those of its producer, which are left out. */
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
