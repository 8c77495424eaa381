import { randomUUID } from 'node:crypto';
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { timestampNow } from '@bufbuild/protobuf/wkt';
import { WatchEventsResponseSchema } from '@mediasoup-server/proto/daemon';
import type { Happening } from '../rooms/Happening.ts';
import type { Metrics } from '../telemetry/metrics.ts';

/** How long a watcher hears nothing at most, ms: it learns how far it is, and its dead connection is noticed. */
const SILENCE_MS = 10_000;

type Told = NonNullable<MessageInitShape<typeof WatchEventsResponseSchema>['message']>;
type Entry = { readonly roomId: string; readonly encoded: Uint8Array };

export type EventLogOptions = {
  /** Bytes of events that are remembered. */
  readonly eventBufferBytes: number;
  readonly metrics: Pick<Metrics, 'events' | 'limited'>;
};

/** What happened last on this daemon, for any number of watchers, each of which reads as fast as it can. */
export class EventLog {
  /** Tells this log from that of an earlier run. */
  readonly #id = randomUUID();
  readonly #options: EventLogOptions;
  /** By sequence, the oldest first. */
  readonly #entries = new Map<number, Entry>();
  readonly #waiting = new Set<() => void>();
  #first = 1;
  #next = 1;
  #bytes = 0;

  constructor(options: EventLogOptions) {
    this.#options = options;
  }

  /** @param roomId empty for what is of no room. */
  add(roomId: string, kind: Happening): void {
    const sequence = this.#next++;
    const event = { sequence: BigInt(sequence), time: timestampNow(), roomId, kind };
    const encoded = this.#encode(sequence, { case: 'event', value: event });
    this.#entries.set(sequence, { roomId, encoded });
    this.#bytes += encoded.length;
    while (this.#bytes > this.#options.eventBufferBytes && this.#first < sequence) {
      this.#bytes -= this.#entries.get(this.#first)?.encoded.length ?? 0;
      this.#entries.delete(this.#first++);
    }
    this.#options.metrics.events.inc({ kind: kind.case });
    for (const wake of this.#waiting) wake();
  }

  /** The sequence that a cursor stands for; undefined for a cursor that this log never gave. */
  #sequenceOf(cursor: string): number | undefined {
    const [id, sequence] = cursor.split(':');
    return id === this.#id && Number(sequence) < this.#next ? Number(sequence) : undefined;
  }

  /**
   * What happens from now or a cursor on, as encoded WatchEventsResponses, until the signal aborts.
   *
   * @param roomId empty for everything.
   */
  async *watch(
    { roomId, cursor }: { roomId: string; cursor: string },
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    const seen = cursor === '' ? this.#next - 1 : this.#sequenceOf(cursor);
    let next = (seen ?? 0) + 1;
    let missed = seen === undefined;
    let tell = true;
    let toldAt = performance.now();
    while (!signal.aborted) {
      if (next < this.#first) {
        next = this.#first;
        missed = true;
        tell = true;
      }
      const entry = this.#entries.get(next);
      if (tell || performance.now() - toldAt >= SILENCE_MS) {
        if (missed) this.#options.metrics.limited.inc({ limit: 'eventBuffer' });
        yield this.#encode(next - 1, { case: 'watching', value: { missed } });
        toldAt = performance.now();
        missed = false;
        tell = false;
      } else if (entry) {
        next++;
        if (roomId !== '' && entry.roomId !== roomId) continue;
        yield entry.encoded;
        toldAt = performance.now();
      } else {
        await this.#more(SILENCE_MS - (performance.now() - toldAt), signal);
      }
    }
  }

  /** Resolves at the next event, at an abort, or after a time. */
  #more(mostMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      const timer = setTimeout(wake, Math.max(1, mostMs));
      this.#waiting.add(wake);
      signal.addEventListener('abort', wake);
    });
  }

  #encode(sequence: number, message: Told): Uint8Array {
    const cursor = `${this.#id}:${sequence}`;
    return toBinary(WatchEventsResponseSchema, create(WatchEventsResponseSchema, { cursor, message }));
  }
}
