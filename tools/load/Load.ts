import type { Target } from './enter.ts';
import { OPUS_FRAME_MS, Publisher, type PublisherOptions } from './Publisher.ts';
import { packetsOf } from './rtpPackets.ts';
import type { StreamReport } from './StreamMeter.ts';
import { Subscriber } from './Subscriber.ts';

export type LoadOptions = PublisherOptions & {
  readonly target: Target;
  readonly rooms: number;
  /** Of each room. */
  readonly publishers: number;
  /** Of each room. */
  readonly subscribers: number;
  /** How many join a second: a daemon takes 50 of one address for long, and bursts of 500. */
  readonly joinsPerSecond: number;
  /** Called for each peer that is in. */
  readonly joined: () => void;
};

/** How long one peer may take to join, ms. */
const JOIN_DEADLINE_MS = 10_000;
/** After so many that could not join at a time nobody else tries: it is not by chance. */
const MOST_REFUSED = 5;

/** A peer that could not join. */
export type Refused = { readonly room: string; readonly peer: string; readonly why: string };

/** What one subscriber received, over all its streams. */
export type SubscriberReport = Omit<StreamReport, 'firstPacketMs'> & {
  readonly room: string;
  readonly subscriber: string;
  readonly streams: number;
  /** Streams of which nothing came. */
  readonly silent: number;
  /** Of the stream that began last; undefined when one did not begin. */
  readonly firstPacketMs: number | undefined;
};

/** Rooms full of peers that send, and of peers that receive. */
export class Load {
  readonly #options: LoadOptions;
  readonly #run = `load-${Date.now().toString(36)}`;
  readonly #publishers: Publisher[] = [];
  readonly #subscribers: { room: string; name: string; subscriber: Subscriber }[] = [];
  /** Subscribers that could not join. */
  readonly refused: Refused[] = [];
  #nextJoinAt = 0;
  /** How many subscribers of each room were asked to join. */
  #asked = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
  }

  get subscribers(): number {
    return this.#subscribers.length;
  }

  /**
   * Has everybody join and waits until media flows.
   *
   * @throws Error when a publisher cannot join.
   */
  async open(): Promise<void> {
    const { rooms, publishers, subscribers, target, joined } = this.#options;
    for (let index = 0; index < publishers; index++)
      await this.#each(rooms, async (room) => {
        const peer = `publisher-${index}`;
        const opening = Publisher.open(target, room, peer, this.#options);
        const opened = await inTime(opening).catch((error: Error) => {
          throw new Error(`${peer} could not join: ${error.message}`);
        });
        this.#publishers.push(opened);
        joined();
      });
    await this.grow(subscribers);
  }

  /** Has so many more subscribers join each room, and waits until they receive, or were waited for in vain. */
  async grow(subscribers: number): Promise<void> {
    const { rooms, target, publishers, audio, fps, joined } = this.#options;
    const streams = publishers * (Number(audio) + Number(fps > 0));
    const opened: Subscriber[] = [];
    const [upTo, mayRefuse] = [this.#asked + subscribers, this.refused.length + MOST_REFUSED];
    while (this.#asked < upTo && this.refused.length < mayRefuse) {
      const name = `subscriber-${this.#asked++}`;
      await this.#each(rooms, async (room) => {
        try {
          const subscriber = await inTime(Subscriber.open(target, room, name, streams));
          this.#subscribers.push({ room, name, subscriber });
          opened.push(subscriber);
          joined();
        } catch (error) {
          this.refused.push({ room, peer: name, why: (error as Error).message });
        }
      });
    }
    await Promise.all(opened.map((subscriber) => subscriber.begun()));
  }

  /** How many peers have lost their sockets: this machine, or the daemon's, is too slow to answer pings. */
  get cutOff(): number {
    const peers = [...this.#publishers, ...this.#subscribers.map(({ subscriber }) => subscriber)];
    return peers.filter(({ isConnected }) => !isConnected).length;
  }

  /** How many packets a second the subscribers are to receive together. */
  get duePerSecond(): number {
    const { publishers, audio, fps, recording } = this.#options;
    const video = recording.video.reduce((sum, frame) => sum + packetsOf(frame), 0) / recording.video.length;
    return this.subscribers * publishers * ((audio ? 1000 / OPUS_FRAME_MS : 0) + fps * video);
  }

  get reports(): SubscriberReport[] {
    return this.#subscribers.map(({ room, name, subscriber }) => {
      const streams = subscriber.reports;
      const sum = (count: (stream: StreamReport) => number) =>
        streams.reduce((total, stream) => total + count(stream), 0);
      const waits = streams.map(({ firstPacketMs }) => firstPacketMs).filter((wait) => wait !== undefined);
      return {
        room,
        subscriber: name,
        streams: streams.length,
        silent: streams.length - waits.length,
        received: sum(({ received }) => received),
        bytes: sum(({ bytes }) => bytes),
        lost: sum(({ lost }) => lost),
        duplicates: sum(({ duplicates }) => duplicates),
        outOfOrder: sum(({ outOfOrder }) => outOfOrder),
        jitterMs: Math.max(0, ...streams.map(({ jitterMs }) => jitterMs)),
        firstPacketMs: waits.length === streams.length ? Math.max(0, ...waits) : undefined,
      };
    });
  }

  close(): void {
    for (const { subscriber } of this.#subscribers) subscriber.close();
    for (const publisher of this.#publishers) publisher.close();
  }

  /** One after another at the rate of joins, a room at a time. */
  async #each(rooms: number, join: (room: string) => Promise<void>): Promise<void> {
    for (let index = 0; index < rooms; index++) {
      const wait = this.#nextJoinAt - performance.now();
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      this.#nextJoinAt = Math.max(this.#nextJoinAt, performance.now()) + 1000 / this.#options.joinsPerSecond;
      await join(`${this.#run}-${index}`);
    }
  }
}

/** Gives up on a peer that takes too long; should it come after all, it goes again. */
async function inTime<P extends { close(): void }>(opening: Promise<P>): Promise<P> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${JOIN_DEADLINE_MS / 1000} s`)), JOIN_DEADLINE_MS);
  });
  try {
    return await Promise.race([opening, late]);
  } catch (error) {
    opening.then((peer) => peer.close()).catch(() => {});
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
