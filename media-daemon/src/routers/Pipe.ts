import type { types } from 'mediasoup';
import { RequestError } from '../errors.ts';
import type { Closable } from '../peers/LimitedMap.ts';
import { closeOn } from '../workers/closeOn.ts';
import type { RoomRouter } from './RoomRouter.ts';
import type { LinkEnds, RouterLink } from './RouterLink.ts';

/** What can be piped: something that a peer sends. */
export type Sent = types.Producer | types.DataProducer;

/** Who receives what is brought. */
export type Receiver = types.Consumer | types.DataConsumer;

/** The consumer on the router of what is brought, and the producer of the same id on the other router. */
type MediaEnds = { readonly near: types.Consumer; readonly far: types.Producer };
type Ends = MediaEnds | { readonly near: types.DataConsumer; readonly far: types.DataProducer };

/**
 * A producer, or data producer, brought from its own router to another one of the room. It carries media only while one
 * of its receivers does not pause. It ends with what it brings, and when the last who uses it lets go.
 */
export class Pipe {
  readonly sent: Sent;
  readonly from: RoomRouter;
  readonly to: RoomRouter;
  readonly #opened: Promise<void>;
  readonly #ended: () => void;
  readonly #receivers = new Set<Receiver>();
  #ends: Ends | undefined;
  #users = 0;
  #changing: Promise<void> | undefined;
  #closed = false;

  /** @param ended called when it is closed, for whatever reason. */
  constructor(sent: Sent, [from, to]: readonly [RoomRouter, RoomRouter], link: RouterLink, ended: () => void) {
    this.sent = sent;
    this.from = from;
    this.to = to;
    this.#ended = ended;
    (sent as Closable).observer.once('close', this.#close);
    this.#opened = this.#open(link);
    this.#opened.catch(this.#close);
  }

  /** How many consumers there are of what is brought, those that are being made among them. */
  get users(): number {
    return this.#users;
  }

  /** How many of these do not pause. */
  get flowing(): number {
    return [...this.#receivers].filter(({ paused }) => !paused).length;
  }

  /**
   * Has a consumer made of what is brought, and stays as long as that does.
   *
   * @throws RequestError 404 when what is brought has been closed, 503 when a worker ended.
   */
  async use<C extends Receiver>(consume: () => Promise<C>): Promise<C> {
    this.#users++;
    let consumer: C;
    try {
      // Nobody lets go before it is open: another of the same id could not be opened beside one that is being made.
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
   * Has media flow while one of its receivers wants it; called when one has paused or resumed. Resolves when it is so, or
   * when the pipe has closed.
   */
  async settle(): Promise<void> {
    // One change at a time, and from what is by then on.
    for (let change = this.#due(); change; change = this.#due()) {
      this.#changing ??= change()
        // A worker died, or what was brought closed: what is left of the pipe goes too.
        .catch(this.#close)
        .finally(() => {
          this.#changing = undefined;
        });
      await this.#changing;
    }
  }

  /** What is to be changed next, so that media flows while it is wanted. */
  #due(): (() => Promise<void>) | undefined {
    if (this.#closed || !this.#ends || !isMedia(this.#ends)) return undefined;
    const { near, far } = this.#ends;
    const idle = !this.#isWanted();
    const paused = idle || near.producerPaused;
    if (idle && !near.paused) return () => near.pause();
    // The far end as well: else its streams would count as dead, and begin with the least layer when they come back.
    if (far.paused !== paused) return paused ? () => far.pause() : () => far.resume();
    // Last, since its resuming asks for a key frame, which then comes to who waits for it.
    if (!idle && near.paused) return () => near.resume();
    return undefined;
  }

  /** Whether any receiver does not pause; asked at every pause and resume, so it looks no further than the first. */
  #isWanted(): boolean {
    for (const { paused } of this.#receivers) if (!paused) return true;
    return false;
  }

  async #open(link: RouterLink): Promise<void> {
    const ends = await link.from(this.from);
    const { near, far } = 'kind' in this.sent ? await bringMedia(ends, this.sent) : await bringData(ends, this.sent);
    this.#ends = { near, far } as Ends;
    for (const end of [near, far] as Closable[]) end.observer.once('close', this.#close);
    if (isMedia(this.#ends))
      for (const change of ['producerpause', 'producerresume'] as const)
        this.#ends.near.on(change, () => void this.settle());
    // A router or what is brought may have gone meanwhile.
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

const isMedia = (ends: Ends): ends is MediaEnds => 'kind' in ends.far;

async function bringMedia({ near, far }: LinkEnds, { id, kind }: types.Producer): Promise<Ends> {
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

async function bringData({ near, far }: LinkEnds, { id, label, protocol }: types.DataProducer): Promise<Ends> {
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
