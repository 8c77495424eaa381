import type { RequestData, ResponseData, Snapshot } from '@mediasoup-server/proto/signaling';
import type { types } from 'mediasoup-client';
import { RoomError } from '../errors.ts';
import type { MediaTransports, SendRequest } from './MediaTransports.ts';
import { Subscription } from './Subscription.ts';

/** How often `consume` is sent when a rate limit refuses it. */
const MOST_ATTEMPTS = 5;
/** The delay after such a refusal, ms, times the attempt. */
const ATTEMPT_WAIT_MS = 500;

/** The consumers of one session. */
export class Consumers {
  readonly #transports: MediaTransports;
  readonly #request: SendRequest;
  readonly #changed: (subscription: Subscription) => void;
  readonly #subscriptions = new Map<string, Subscription>();
  /** The ids of all consumers whose parameters arrived, including those that are being created. */
  readonly #ids = new Set<string>();

  constructor(transports: MediaTransports, request: SendRequest, changed: (subscription: Subscription) => void) {
    this.#transports = transports;
    this.#request = request;
    this.#changed = changed;
  }

  /** The receivers whose media should arrive now: of consumers that neither side has paused. */
  get expected(): RTCRtpReceiver[] {
    return [...this.#subscriptions.values()]
      .filter(({ paused, muted }) => !paused && !muted)
      .flatMap(({ consumer: { rtpReceiver } }) => (rtpReceiver?.getSynchronizationSources ? [rtpReceiver] : []));
  }

  /**
   * Creates a consumer. It is paused: media flows after `setPaused(false)`.
   *
   * @throws {RoomError} with status 404 if the producer is gone, 422 if this browser cannot receive it
   */
  async subscribe(producerId: string): Promise<Subscription> {
    const answer = await this.#consume(producerId);
    const { consumerId: id, kind } = answer;
    this.#ids.add(id);
    const rtpParameters = answer.rtpParameters as unknown as types.RtpParameters;
    const consumer = await this.#transports.recv.consume({ id, producerId, kind, rtpParameters });
    const subscription: Subscription = new Subscription(consumer, {
      muted: answer.producerPaused,
      request: this.#request,
      changed: () => this.#changed(subscription),
    });
    this.#subscriptions.set(id, subscription);
    return subscription;
  }

  find(consumerId: string): Subscription | undefined {
    return this.#subscriptions.get(consumerId);
  }

  /** Closes a consumer here and at the daemon. */
  unsubscribe(subscription: Subscription): void {
    if (!this.#subscriptions.has(subscription.id)) return;
    this.drop(subscription);
    this.#request('closeConsumer', { consumerId: subscription.id }).catch(() => {});
  }

  /** The daemon has closed a producer and its consumers. */
  dropProducer(producerId: string): void {
    for (const subscription of this.#subscriptions.values())
      if (subscription.producerId === producerId) this.drop(subscription);
  }

  drop(subscription: Subscription): void {
    this.#ids.delete(subscription.id);
    this.#subscriptions.delete(subscription.id);
    subscription.close();
  }

  /** Applies the snapshot of a resumed session, and repeats to the daemon what it missed. */
  reconcile({ consumers }: Snapshot): void {
    const there = new Map(consumers.map((consumer) => [consumer.consumerId, consumer]));
    for (const subscription of this.#subscriptions.values()) {
      const consumer = there.get(subscription.id);
      if (consumer) subscription.reconcile(consumer);
      else this.drop(subscription);
    }
    // Their parameters were lost with the socket; `consume` was sent again and created other ones.
    for (const consumerId of there.keys()) {
      if (!this.#ids.has(consumerId)) this.#request('closeConsumer', { consumerId }).catch(() => {});
    }
  }

  close(): void {
    for (const subscription of this.#subscriptions.values()) subscription.close();
    this.#subscriptions.clear();
  }

  async #consume(producerId: string): Promise<ResponseData<'consume'>> {
    const rtpCapabilities = this.#transports.device.recvRtpCapabilities as RequestData<'consume'>['rtpCapabilities'];
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#request('consume', { producerId, rtpCapabilities });
      } catch (error) {
        if (RoomError.from(error).status !== 429 || attempt === MOST_ATTEMPTS) throw error;
        await new Promise((resolve) => setTimeout(resolve, attempt * ATTEMPT_WAIT_MS));
      }
    }
  }
}
