import type { types } from 'mediasoup';
import { RequestError } from '../errors.ts';
import type { Closable } from '../peers/LimitedMap.ts';
import { closeOn } from '../workers/closeOn.ts';
import type { Link, MediaEnds, PipeEnds, Sent } from './Link.ts';
import type { RoomRouter } from './RoomRouter.ts';

/** A consumer of what a pipe carries. */
export type Receiver = types.Consumer | types.DataConsumer;

/**
 * Carries a producer or data producer from its own router to another router of the room. Media flows while at least one
 * consumer there is not paused. It closes with the producer, or with its last consumer.
 */
export class Pipe {
  readonly sent: Sent;
  readonly from: RoomRouter;
  readonly to: RoomRouter;
  readonly #opened: Promise<void>;
  readonly #ended: () => void;
  readonly #receivers = new Set<Receiver>();
  #ends: PipeEnds | undefined;
  #users = 0;
  #changing: Promise<void> | undefined;
  #closed = false;

  /** @param ended called when it is closed, for whatever reason. */
  constructor(sent: Sent, [from, to]: readonly [RoomRouter, RoomRouter], link: Link, ended: () => void) {
    this.sent = sent;
    this.from = from;
    this.to = to;
    this.#ended = ended;
    (sent as Closable).observer.once('close', this.#close);
    this.#opened = this.#open(link);
    this.#opened.catch(this.#close);
  }

  /** How many consumers it has, including those that are being created. */
  get users(): number {
    return this.#users;
  }

  /** How many of these are not paused. */
  get flowing(): number {
    return [...this.#receivers].filter(({ paused }) => !paused).length;
  }

  /**
   * Creates a consumer of the piped producer. The pipe lives until that consumer closes.
   *
   * @throws RequestError 404 when the producer has closed, 503 when a worker died.
   */
  async use<C extends Receiver>(consume: () => Promise<C>): Promise<C> {
    this.#users++;
    let consumer: C;
    try {
      // Not released before it is open: a second pipe of the same id cannot open beside one that is opening.
      await this.#opened;
      consumer = await consume();
    } catch (error) {
      this.#release();
      throw error;
    }
    this.#receivers.add(consumer);
    (consumer as Closable).observer.once('close', () => {
      this.#receivers.delete(consumer);
      this.#release();
      void this.settle();
    });
    await this.settle();
    if (consumer.closed) throw this.#gone();
    return consumer;
  }

  /**
   * Resumes or pauses the pipe after one of its consumers did. Resolves when that is done, or when the pipe has closed.
   */
  async settle(): Promise<void> {
    // One change at a time, each from the state by then.
    for (let change = this.#due(); change; change = this.#due()) {
      this.#changing ??= change()
        // A worker died or the producer closed: the rest of the pipe closes too.
        .catch(this.#close)
        .finally(() => {
          this.#changing = undefined;
        });
      await this.#changing;
    }
  }

  /** The next change that makes media flow while it is wanted, and only then. */
  #due(): (() => Promise<void>) | undefined {
    if (this.#closed || !this.#ends || !isMedia(this.#ends)) return undefined;
    const { near, far } = this.#ends;
    const idle = !this.#isWanted();
    const paused = idle || near.producerPaused;
    if (idle && !near.paused) return () => near.pause();
    // The far end as well: otherwise its streams count as dead, and start from the lowest layer when they resume.
    if (far.paused !== paused) return paused ? () => far.pause() : () => far.resume();
    // Last, since resuming asks for a key frame, which must reach the consumers that wait for it.
    if (!idle && near.paused) return () => near.resume();
    return undefined;
  }

  /** Whether any consumer is not paused. Asked at every pause and resume, so it stops at the first. */
  #isWanted(): boolean {
    for (const { paused } of this.#receivers) if (!paused) return true;
    return false;
  }

  async #open(link: Link): Promise<void> {
    this.#ends = await link.carry(this.sent, this.from);
    const { near, far } = this.#ends;
    for (const end of [near, far] as Closable[]) end.observer.once('close', this.#close);
    if (isMedia(this.#ends))
      for (const change of ['producerpause', 'producerresume'] as const)
        this.#ends.near.on(change, () => void this.settle());
    // A router or the producer may have closed meanwhile.
    if (this.#closed || near.closed || far.closed) {
      this.#closeEnds();
      throw this.#gone();
    }
  }

  #gone(): RequestError {
    return this.sent.closed
      ? new RequestError('ALREADY_CLOSED', 'the producer has closed')
      : new RequestError('WORKER_DIED', 'a media worker died, try again');
  }

  #release(): void {
    this.#users--;
    if (this.#users === 0) this.#close();
  }

  readonly #close = (): void => {
    if (this.#closed) return;
    this.#closed = true;
    (this.sent as Closable).observer.off('close', this.#close);
    this.#closeEnds();
    this.#ended();
  };

  #closeEnds(): void {
    closeOn(this.from.pooledWorker, this.#ends?.near);
    closeOn(this.to.pooledWorker, this.#ends?.far);
  }
}

const isMedia = (ends: PipeEnds): ends is MediaEnds => 'kind' in ends.far;
