import type { ErrorCode } from '@mediasoup-server/proto/errorCodes';
import { RequestError } from '../errors.ts';

/** A mediasoup object of a peer: a transport, a producer, a consumer. */
export type Closable = {
  readonly id: string;
  readonly closed: boolean;
  readonly observer: {
    once(event: 'close', listener: () => void): unknown;
    off(event: 'close', listener: () => void): unknown;
    emit(event: 'close'): unknown;
  };
  close(): void;
};

export type LimitedMapOptions = {
  /** As error texts call one: `producer`. */
  readonly noun: string;
  readonly limit: number;
  /** As the metrics call the limit: `peerProducers`. */
  readonly limitName: string;
  /** The code of the error for an id that is not there. */
  readonly notFound: ErrorCode;
};

/** The mediasoup objects of one kind that a peer has, by id, up to a limit. Each is removed when it closes. */
export class LimitedMap<T extends Closable> {
  readonly #options: LimitedMapOptions;
  readonly #things = new Map<string, T>();
  #making = 0;
  #closed = false;

  constructor(options: LimitedMapOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#things.size;
  }

  /**
   * Creates one and keeps it. When the peer has left meanwhile, it is closed at once.
   *
   * @param closed called when it closes, for whatever reason.
   * @throws RequestError 429 at the limit, 409 when the peer has left.
   */
  async make(create: () => Promise<T>, closed: (thing: T) => void = () => {}): Promise<T> {
    const { noun, limit, limitName } = this.#options;
    if (this.#things.size + this.#making >= limit)
      throw new RequestError('LIMIT_REACHED', `the peer has ${limit} ${noun}s, which is the limit`, {
        limit: limitName,
      });
    this.#making++;
    let thing: T;
    try {
      thing = await create();
    } finally {
      this.#making--;
    }
    if (this.#closed) {
      thing.close();
      throw new RequestError('PEER_LEFT', 'the peer has left');
    }
    this.#things.set(thing.id, thing);
    thing.observer.once('close', () => {
      this.#things.delete(thing.id);
      closed(thing);
    });
    return thing;
  }

  find(id: string): T | undefined {
    return this.#things.get(id);
  }

  /** @throws RequestError 404 when the peer has none of this id. */
  get(id: string): T {
    const thing = this.#things.get(id);
    if (!thing) throw new RequestError(this.#options.notFound, `the peer has no such ${this.#options.noun}`);
    return thing;
  }

  [Symbol.iterator](): MapIterator<T> {
    return this.#things.values();
  }

  /** Takes nothing more; what is open closes with the peer's transports. */
  close(): void {
    this.#closed = true;
  }

  /**
   * Removes what is left once the peer's transports have closed: mediasoup emits no event for what is on a transport
   * that it could not close.
   */
  abandon(): void {
    for (const { observer } of [...this.#things.values()]) observer.emit('close');
  }
}
