import type { types } from 'mediasoup-client';
import type { SendRequest } from './MediaTransports.ts';

export interface Layers {
  readonly spatialLayer: number;
  readonly temporalLayer: number;
}

export interface PreferredLayers {
  readonly spatialLayer: number;
  readonly temporalLayer?: number;
}

/** A consumer of another peer's track at one daemon. */
export class Subscription {
  readonly producerId: string;
  readonly consumer: types.Consumer;
  /** The number of spatial layers. */
  readonly layerCount: number;
  /** Whether its sender or the server has paused it. */
  muted: boolean;
  /** The layers that are received; undefined while there are none, and of a track without layers. */
  layers: Layers | undefined;
  /** How well media arrives: 0 (not at all) to 10. */
  score: number | undefined;
  readonly #request: SendRequest;
  readonly #changed: () => void;
  #paused = true;
  #preferred: PreferredLayers | undefined;
  /** Whether the last of `consumerResumed` and `consumerPaused` was the former. */
  #flows = false;
  #closed = false;

  constructor(consumer: types.Consumer, options: { muted: boolean; request: SendRequest; changed: () => void }) {
    this.consumer = consumer;
    this.producerId = consumer.producerId;
    this.layerCount = spatialLayers(consumer.rtpParameters);
    this.muted = options.muted;
    this.#request = options.request;
    this.#changed = options.changed;
  }

  get id(): string {
    return this.consumer.id;
  }

  get track(): MediaStreamTrack {
    return this.consumer.track;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Whether this peer has paused it. */
  get paused(): boolean {
    return this.#paused;
  }

  /** Pauses or resumes it for this peer alone. */
  async setPaused(paused: boolean): Promise<void> {
    if (this.#closed || paused === this.#paused) return;
    this.#paused = paused;
    await this.#sendPaused();
  }

  /** Sets the highest size and frame rate to receive. */
  async setPreferredLayers(layers: PreferredLayers): Promise<void> {
    const { spatialLayer, temporalLayer } = this.#preferred ?? {};
    if (layers.spatialLayer === spatialLayer && layers.temporalLayer === temporalLayer) return;
    this.#preferred = layers;
    if (!this.#closed) await this.#request('setPreferredLayers', { consumerId: this.id, ...layers });
  }

  /** `consumerResumed` or `consumerPaused` arrived: either side may have caused it (S18). */
  flowChanged(flows: boolean): void {
    this.#flows = flows;
    if (this.#paused || this.muted === !flows) return;
    this.muted = !flows;
    this.#changed();
  }

  layersChanged(layers: Layers | undefined): void {
    this.layers = layers;
    this.#changed();
  }

  scoreChanged(score: number): void {
    if (this.score === score) return;
    this.score = score;
    this.#changed();
  }

  /** Applies the snapshot of a resumed session, and repeats to the daemon what it missed. */
  reconcile({ paused, producerPaused }: { paused: boolean; producerPaused: boolean }): void {
    this.#flows = !paused && !producerPaused;
    if (this.muted !== producerPaused) {
      this.muted = producerPaused;
      this.#changed();
    }
    // A refusal means that the consumer is gone, which a notification says.
    if (paused !== this.#paused) this.#sendPaused().catch(() => {});
  }

  /** Closes the consumer here, not at the daemon. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.consumer.close();
  }

  async #sendPaused(): Promise<void> {
    const consumerId = this.id;
    const paused = this.#paused;
    await this.#request(paused ? 'pause' : 'resume', { consumerId });
    // While it is paused here no notification says what its sender does. `consumerResumed` precedes the answer.
    if (!paused && !this.#paused && this.muted === this.#flows) {
      this.muted = !this.#flows;
      this.#changed();
    }
  }
}

/** Read from the consumer's scalability mode, for example `L3T3`. */
function spatialLayers({ encodings }: types.RtpParameters): number {
  return Number(/^[LS](\d)/.exec(encodings?.[0]?.scalabilityMode ?? '')?.[1] ?? 1);
}
