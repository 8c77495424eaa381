import { randomUUID } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { timestampNow } from '@bufbuild/protobuf/wkt';
import { WatchEventsResponseSchema } from '@mediasoup-server/proto/daemon';
import { RequestError } from '../errors.ts';
import type { Room } from '../rooms/Room.ts';
import type { RoomEvent } from '../rooms/RoomEvent.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { type WatchedEvent, watchedEventsOf } from './watchedEvents.ts';

/** The longest silence on a watch stream, ms. A `watching` message then tells how far the watcher is, and shows a dead connection. */
const SILENCE_MS = 10_000;
/** How many events of other rooms are skipped before the event loop continues. */
const SKIP_AT_ONCE = 1000;

type Told = NonNullable<MessageInitShape<typeof WatchEventsResponseSchema>['message']>;
type Entry = { readonly roomId: string; readonly encoded: Uint8Array };

export type EventLogOptions = {
  /** The most bytes of events that are kept. */
  readonly eventBufferBytes: number;
  readonly metrics: Pick<Metrics, 'events' | 'limited'>;
};

/** The latest events of this daemon, for any number of watchers, each of which reads at its own pace. */
export class EventLog {
  /** Distinguishes this log from that of an earlier run. */
  readonly #id = randomUUID();
  readonly #options: EventLogOptions;
  /** By sequence, the oldest first. */
  readonly #entries = new Map<number, Entry>();
  /** The sequence of each room's last `roomCreated`, while it is kept. */
  readonly #created = new Map<string, number>();
  readonly #waiting = new Set<() => void>();
  #first = 1;
  #next = 1;
  #bytes = 0;
  #closed = false;

  constructor(options: EventLogOptions) {
    this.#options = options;
  }

  /** Adds what watchers hear of a room's event, while this daemon serves the room. */
  addOf(room: Pick<Room, 'id' | 'isHandedOff'>, event: RoomEvent): void {
    if (!room.isHandedOff) for (const watched of watchedEventsOf(event)) this.add(room.id, watched);
  }

  /** @param roomId empty for an event of the daemon. */
  add(roomId: string, kind: WatchedEvent): void {
    const sequence = this.#next++;
    const event = { sequence: BigInt(sequence), time: timestampNow(), roomId, kind };
    const encoded = this.#encode(sequence, { case: 'event', value: event });
    this.#entries.set(sequence, { roomId, encoded });
    if (kind.case === 'roomCreated') this.#created.set(roomId, sequence);
    this.#bytes += encoded.length;
    while (this.#bytes > this.#options.eventBufferBytes && this.#first < sequence) this.#forgetFirst();
    this.#options.metrics.events.inc({ kind: kind.case });
    for (const wake of this.#waiting) wake();
  }

  /** Takes no more events: watchers get the rest, and then the error that the daemon is stopping. */
  close(): void {
    this.#closed = true;
    for (const wake of this.#waiting) wake();
  }

  #forgetFirst(): void {
    const sequence = this.#first++;
    const { roomId, encoded } = this.#entries.get(sequence) as Entry;
    this.#entries.delete(sequence);
    this.#bytes -= encoded.length;
    if (this.#created.get(roomId) === sequence) this.#created.delete(roomId);
  }

  /** The sequence of a cursor; undefined for a cursor that is not of this log. */
  #sequenceOf(cursor: string): number | undefined {
    const [id, counted = ''] = cursor.split(':');
    if (id !== this.#id || !/^\d+$/.test(counted)) return undefined;
    const sequence = Number(counted);
    return sequence < this.#next ? sequence : undefined;
  }

  /**
   * The events from now or from a cursor on, as encoded WatchEventsResponses, until the signal aborts. With a cursor of
   * another log it begins with the oldest event that is kept; for one room, with its last creation.
   *
   * @param roomId empty for everything.
   * @throws RequestError UNAVAILABLE when the daemon stops.
   */
  async *watch(
    { roomId, cursor }: { roomId: string; cursor: string },
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    const seen = cursor === '' ? this.#next - 1 : this.#sequenceOf(cursor);
    let next = seen === undefined ? (this.#created.get(roomId) ?? this.#first) : seen + 1;
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
        if (roomId !== '' && entry.roomId !== roomId) {
          next = this.#passOver(next, roomId);
          await turn();
          continue;
        }
        next++;
        yield entry.encoded;
        toldAt = performance.now();
      } else if (this.#closed) {
        throw new RequestError('UNAVAILABLE', 'the daemon is stopping');
      } else {
        await this.#more(SILENCE_MS - (performance.now() - toldAt), signal);
      }
    }
  }

  /** A sequence that no event of the room precedes, starting from `from`. */
  #passOver(from: number, roomId: string): number {
    const until = from + SKIP_AT_ONCE;
    let next = from;
    for (let entry = this.#entries.get(next); entry && entry.roomId !== roomId && next < until; ) {
      entry = this.#entries.get(++next);
    }
    return next;
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
