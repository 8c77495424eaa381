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
  /** Joins a second. A daemon accepts 50 a second from one address, and bursts of 500. */
  readonly joinsPerSecond: number;
  /** Called for each peer that has joined. */
  readonly joined: () => void;
};

/** How long one peer may take to join, ms. */
const JOIN_DEADLINE_MS = 10_000;
/** After this many failed joins in a row no further peer tries. */
const MOST_REFUSED = 5;

/** A peer that could not join. */
export type Refused = { readonly room: string; readonly peer: string; readonly why: string };

/** All streams of one subscriber, summed. */
export type SubscriberReport = Omit<StreamReport, 'firstPacketMs'> & {
  readonly room: string;
  readonly subscriber: string;
  readonly streams: number;
  /** Streams without a packet. */
  readonly silent: number;
  /** Of the stream that started last; undefined when one did not start. */
  readonly firstPacketMs: number | undefined;
};

/** Rooms of publishers and subscribers. */
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
   * Joins all peers and waits until media flows.
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

  /** Adds subscribers to each room, and waits until they receive or their wait times out. */
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

  /** Peers that lost their sockets because this machine, or the daemon's, is too slow to answer pings. */
  get cutOff(): number {
    const peers = [...this.#publishers, ...this.#subscribers.map(({ subscriber }) => subscriber)];
    return peers.filter(({ isConnected }) => !isConnected).length;
  }

  /** The packets a second that all subscribers together should receive. */
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

  /** Joins peers one after another at the configured rate, room by room. */
  async #each(rooms: number, join: (room: string) => Promise<void>): Promise<void> {
    for (let index = 0; index < rooms; index++) {
      const wait = this.#nextJoinAt - performance.now();
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      this.#nextJoinAt = Math.max(this.#nextJoinAt, performance.now()) + 1000 / this.#options.joinsPerSecond;
      await join(`${this.#run}-${index}`);
    }
  }
}

/** Stops waiting for a peer that takes too long. If it joins later, it leaves again. */
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
