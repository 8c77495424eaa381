import { RequestError } from '../errors.ts';

/** What mediasoup makes for a peer: a transport, a producer, a consumer. */
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

/** The things of one kind that a peer has, by id, up to a limit. Each leaves by itself when it closes. */
export class LimitedMap<T extends Closable> {
  readonly #noun: string;
  readonly #limit: number;
  readonly #limitName: string;
  readonly #things = new Map<string, T>();
  #making = 0;
  #closed = false;

  /**
   * @param noun what one is called in errors: `producer`.
   * @param limitName what the metrics call the limit: `peerProducers`.
   */
  constructor(noun: string, limit: number, limitName: string) {
    this.#noun = noun;
    this.#limit = limit;
    this.#limitName = limitName;
  }

  get size(): number {
    return this.#things.size;
  }

  /**
   * Has one made and keeps it. The peer may leave meanwhile; what was made would then belong to nobody and is closed.
   *
   * @param closed called when it closes, for whatever reason.
   * @throws RequestError 429 at the limit, 409 when the peer has left.
   */
  async make(create: () => Promise<T>, closed: (thing: T) => void = () => {}): Promise<T> {
    if (this.#things.size + this.#making >= this.#limit)
      throw new RequestError(429, `the peer has ${this.#limit} ${this.#noun}s, which is the limit`, {
        limit: this.#limitName,
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
      throw new RequestError(409, 'the peer has left');
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

  /** @throws RequestError 404 when the peer has no such thing. */
  get(id: string): T {
    const thing = this.#things.get(id);
    if (!thing) throw new RequestError(404, `the peer has no such ${this.#noun}`);
    return thing;
  }

  [Symbol.iterator](): MapIterator<T> {
    return this.#things.values();
  }

  /** Takes nothing more; what there is ends with the peer's transports. */
  close(): void {
    this.#closed = true;
  }

  /**
   * Lets go of what is left once the peer's transports have closed: mediasoup tells of nothing on a transport that it
   * could not close.
   */
  abandon(): void {
    for (const { observer } of [...this.#things.values()]) observer.emit('close');
  }
}
