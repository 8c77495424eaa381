import type { types } from 'mediasoup';
import { parseScalabilityMode } from 'mediasoup';

/** How long less is wanted before the owner is notified, ms: peers pause and resume consumers while they scroll. */
const SETTLE_MS = 500;
/** Of a producer that no peer receives. */
const NONE = -1;

/** The highest spatial layer of one video producer that any consumer wants (S73). */
export class LayersWanted {
  readonly #maximum: number;
  readonly #notify: (spatialLayer: number) => void;
  readonly #wanted = new Map<types.Consumer, number>();
  #announced: number;
  #timer: NodeJS.Timeout | undefined;

  /** @param notify tells the owner */
  constructor(producer: types.Producer, notify: (spatialLayer: number) => void) {
    this.#maximum = spatialLayers(producer) - 1;
    this.#announced = this.#maximum;
    this.#notify = notify;
    producer.observer.once('close', () => clearTimeout(this.#timer));
    this.#settle();
  }

  /** What the owner was last notified of; the highest there is before that. */
  get announced(): number {
    return this.#announced;
  }

  /** Reads what a consumer wants, after it was created, paused, resumed or given preferred layers. */
  update(consumer: types.Consumer): void {
    if (consumer.closed) return;
    const wanted = consumer.paused
      ? NONE
      : Math.min(consumer.preferredLayers?.spatialLayer ?? this.#maximum, this.#maximum);
    this.#wanted.set(consumer, wanted);
    if (wanted > this.#announced) this.#announce(wanted);
    else if (wanted < this.#announced) this.#settle();
  }

  remove(consumer: types.Consumer): void {
    if (this.#wanted.delete(consumer)) this.#settle();
  }

  /** Notifies a little later of what is wanted then: one look at all consumers, however many of them change. */
  #settle(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const highest = Math.max(NONE, ...this.#wanted.values());
      if (highest !== this.#announced) this.#announce(highest);
    }, SETTLE_MS);
  }

  #announce(spatialLayer: number): void {
    this.#announced = spatialLayer;
    this.#notify(spatialLayer);
  }
}

function spatialLayers({ type, rtpParameters: { encodings = [] } }: types.Producer): number {
  return type === 'svc' ? parseScalabilityMode(encodings[0]?.scalabilityMode).spatialLayers : encodings.length;
}
