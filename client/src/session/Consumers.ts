import type { RequestData, ResponseData, Snapshot } from '@mediasoup-server/proto/signaling';
import type { types } from 'mediasoup-client';
import { RoomError } from '../errors.ts';
import type { Ask, MediaTransports } from './MediaTransports.ts';
import { Reception } from './Reception.ts';

/** How often a `consume` that was refused because of a rate limit is repeated. */
const MOST_ATTEMPTS = 5;
/** How long after such a refusal, ms, times the attempt. */
const ATTEMPT_WAIT_MS = 500;

/** What this peer receives from one daemon. */
export class Consumers {
  readonly #transports: MediaTransports;
  readonly #ask: Ask;
  readonly #changed: (reception: Reception) => void;
  readonly #receptions = new Map<string, Reception>();
  /** The ids of all consumers whose parameters came, also of those that are being made here. */
  readonly #ids = new Set<string>();

  constructor(transports: MediaTransports, ask: Ask, changed: (reception: Reception) => void) {
    this.#transports = transports;
    this.#ask = ask;
    this.#changed = changed;
  }

  /** The browser's receivers of what should arrive now: neither this peer nor the sender has paused it. */
  get expected(): RTCRtpReceiver[] {
    return [...this.#receptions.values()]
      .filter(({ paused, muted }) => !paused && !muted)
      .flatMap(({ consumer: { rtpReceiver } }) => (rtpReceiver?.getSynchronizationSources ? [rtpReceiver] : []));
  }

  /**
   * Makes what is needed to receive a producer; media flows when `setPaused(false)` is called.
   *
   * @throws {RoomError} 404 where it is gone, 422 where this browser cannot receive it
   */
  async receive(producerId: string): Promise<Reception> {
    const answer = await this.#consume(producerId);
    const { consumerId: id, kind } = answer;
    this.#ids.add(id);
    const rtpParameters = answer.rtpParameters as unknown as types.RtpParameters;
    const consumer = await this.#transports.recv.consume({ id, producerId, kind, rtpParameters });
    const reception: Reception = new Reception(consumer, {
      muted: answer.producerPaused,
      ask: this.#ask,
      changed: () => this.#changed(reception),
    });
    this.#receptions.set(id, reception);
    return reception;
  }

  find(consumerId: string): Reception | undefined {
    return this.#receptions.get(consumerId);
  }

  /** Stops receiving, and tells the daemon, which may know already. */
  stop(reception: Reception): void {
    if (!this.#receptions.has(reception.id)) return;
    this.drop(reception);
    this.#ask('closeConsumer', { consumerId: reception.id }).catch(() => {});
  }

  /** The daemon has closed the consumers of a producer, which may be none of those here. */
  dropProducer(producerId: string): void {
    for (const reception of this.#receptions.values()) if (reception.producerId === producerId) this.drop(reception);
  }

  drop(reception: Reception): void {
    this.#ids.delete(reception.id);
    this.#receptions.delete(reception.id);
    reception.close();
  }

  /** Brings both sides in line after a resume. */
  reconcile({ consumers }: Snapshot): void {
    const there = new Map(consumers.map((consumer) => [consumer.consumerId, consumer]));
    for (const reception of this.#receptions.values()) {
      const consumer = there.get(reception.id);
      if (consumer) reception.reconcile(consumer);
      else this.drop(reception);
    }
    // Their parameters were lost on the way: they were asked for again.
    for (const consumerId of there.keys()) {
      if (!this.#ids.has(consumerId)) this.#ask('closeConsumer', { consumerId }).catch(() => {});
    }
  }

  close(): void {
    for (const reception of this.#receptions.values()) reception.close();
    this.#receptions.clear();
  }

  async #consume(producerId: string): Promise<ResponseData<'consume'>> {
    const rtpCapabilities = this.#transports.device.recvRtpCapabilities as RequestData<'consume'>['rtpCapabilities'];
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#ask('consume', { producerId, rtpCapabilities });
      } catch (error) {
        if (RoomError.from(error).status !== 429 || attempt === MOST_ATTEMPTS) throw error;
        await new Promise((resolve) => setTimeout(resolve, attempt * ATTEMPT_WAIT_MS));
      }
    }
  }
}
