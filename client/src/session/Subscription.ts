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

/** One track of another peer, as it is received from one daemon: a consumer. */
export class Subscription {
  readonly producerId: string;
  readonly consumer: types.Consumer;
  /** How many sizes there are to choose of. */
  readonly layerCount: number;
  /** Whether its sender, or the server, has paused it. */
  muted: boolean;
  /** What is received now; undefined while nothing is, or where there is no choice. */
  layers: Layers | undefined;
  /** How well it arrives: 0, not at all, to 10. */
  score: number | undefined;
  readonly #request: SendRequest;
  readonly #changed: () => void;
  #paused = true;
  #preferred: PreferredLayers | undefined;
  /** Whether `consumerResumed` came since this peer asked to resume. */
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

  /** Whether this peer lets no media flow. */
  get paused(): boolean {
    return this.#paused;
  }

  /** Lets media flow, or stops it for this peer alone. */
  async setPaused(paused: boolean): Promise<void> {
    if (this.#closed || paused === this.#paused) return;
    this.#paused = paused;
    await this.#tellPaused();
  }

  /** Chooses the best size and frame rate that is received. */
  async setPreferredLayers(layers: PreferredLayers): Promise<void> {
    const { spatialLayer, temporalLayer } = this.#preferred ?? {};
    if (layers.spatialLayer === spatialLayer && layers.temporalLayer === temporalLayer) return;
    this.#preferred = layers;
    if (!this.#closed) await this.#request('setPreferredLayers', { consumerId: this.id, ...layers });
  }

  /** The daemon says that media flows, or does not, whoever caused it (S18). */
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

  /** Brings both sides in line after a resume, with what the daemon says of the consumer. */
  reconcile({ paused, producerPaused }: { paused: boolean; producerPaused: boolean }): void {
    this.#flows = !paused && !producerPaused;
    if (this.muted !== producerPaused) {
      this.muted = producerPaused;
      this.#changed();
    }
    // Where it is refused it is gone, which is told by itself.
    if (paused !== this.#paused) this.#tellPaused().catch(() => {});
  }

  /** Stops receiving; only the daemon's consumer stays, until it is told. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.consumer.close();
  }

  async #tellPaused(): Promise<void> {
    const consumerId = this.id;
    const paused = this.#paused;
    await this.#request(paused ? 'pause' : 'resume', { consumerId });
    // While it was paused here nobody told what its sender did. Whether media flows is told before the answer.
    if (!paused && !this.#paused && this.muted === this.#flows) {
      this.muted = !this.#flows;
      this.#changed();
    }
  }
}

/** From the scalability mode, for example `L3T3`, that the daemon describes a consumer of layers with. */
function spatialLayers({ encodings }: types.RtpParameters): number {
  return Number(/^[LS](\d)/.exec(encodings?.[0]?.scalabilityMode ?? '')?.[1] ?? 1);
}
