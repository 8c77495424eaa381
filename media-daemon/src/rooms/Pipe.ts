import type { types } from 'mediasoup';
import { RequestError } from '../errors.ts';
import type { Closable } from './Owned.ts';
import type { RoomRouter } from './RoomRouter.ts';
import type { LinkEnds, RouterLink } from './RouterLink.ts';

/** What can be piped: something that a peer sends. */
export type Sent = types.Producer | types.DataProducer;

/** The consumer on the router of what is brought, and the producer of the same id on the other router. */
type Ends = readonly [Closable, Closable];

/**
 * A producer, or data producer, brought from its own router to another one of the room. It ends with what it brings, and
 * when the last who uses it lets go.
 */
export class Pipe {
  readonly sent: Sent;
  readonly from: RoomRouter;
  readonly to: RoomRouter;
  readonly #opened: Promise<void>;
  readonly #ended: () => void;
  #ends: Ends | undefined;
  #users = 0;
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

  /**
   * Has a consumer made of what is brought, and stays as long as that does.
   *
   * @throws RequestError 404 when what is brought has been closed, 503 when a worker ended.
   */
  async use<C extends Closable>(consume: () => Promise<C>): Promise<C> {
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
    consumer.observer.once('close', () => this.#release());
    return consumer;
  }

  async #open(link: RouterLink): Promise<void> {
    const ends = await link.from(this.from);
    this.#ends = await ('kind' in this.sent ? bringMedia(ends, this.sent) : bringData(ends, this.sent));
    for (const end of this.#ends) end.observer.once('close', this.#close);
    // A router or what is brought may have gone meanwhile.
    if (this.#closed || this.#ends.some(({ closed }) => closed)) {
      this.#closeEnds();
      throw this.sent.closed
        ? new RequestError(404, 'it is closed already')
        : new RequestError(503, 'a media worker ended, try again');
    }
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
    for (const end of this.#ends ?? []) end.close();
  }
}

async function bringMedia({ near, far }: LinkEnds, { id, kind }: types.Producer): Promise<Ends> {
  const consumer = await near.consume({ producerId: id });
  try {
    const { rtpParameters, producerPaused: paused } = consumer;
    // Without a delay of its own for key frame requests: that of the origin governs.
    const producer = await far.produce({ id, kind, rtpParameters, paused });
    followPause(consumer, producer);
    return [consumer, producer];
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
    return [consumer, await far.produceData(options)];
  } catch (error) {
    consumer.close();
    throw error;
  }
}

/** Pauses and resumes what was brought as its origin is, one change at a time and from what it was by then on. */
function followPause(consumer: types.Consumer, producer: types.Producer): void {
  let following = false;
  const follow = async () => {
    if (following) return;
    following = true;
    try {
      while (!producer.closed && producer.paused !== consumer.producerPaused)
        await (consumer.producerPaused ? producer.pause() : producer.resume());
    } catch {
      // The other worker died, or what was brought closed: what is left of the pipe goes too.
      consumer.close();
    } finally {
      following = false;
    }
  };
  consumer.on('producerpause', follow);
  consumer.on('producerresume', follow);
  void follow();
}
