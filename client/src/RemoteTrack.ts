import { layerFor } from './adaptive/layerFor.ts';
import { ViewportSize } from './adaptive/ViewportSize.ts';
import type { RoomError } from './errors.ts';
import type { Layers, PreferredLayers, Subscription } from './session/Subscription.ts';
import { sourceOf, type TrackSource } from './TrackSource.ts';

/** What a producer's announcement says of its track. */
export interface RemoteTrackInfo {
  readonly id: string;
  readonly peerId: string;
  readonly kind: 'audio' | 'video';
  readonly appData: Record<string, unknown>;
  /** The shorter side of the picture in pixels, if its sender says it. */
  readonly height: number | undefined;
}

/** How a remote track reaches its room. */
export interface RemoteTrackOwner {
  /** Whether the elements that show a track choose what is received of it. */
  readonly adaptive: boolean;
  readonly subscribed: boolean;
  subscribedChanged(track: RemoteTrack): void;
  changed(track: RemoteTrack): void;
}

/** The assumed height of a picture whose sender does not say it, pixels. */
const USUAL_HEIGHT = 720;

/**
 * A track that another peer publishes: one object for as long as that peer publishes it, whatever connections are lost on
 * either side. A track that is attached to an element stays attached.
 */
export class RemoteTrack {
  /** The sender's `LocalTrack.id`. */
  readonly id: string;
  readonly peerId: string;
  readonly kind: 'audio' | 'video';
  readonly appData: Readonly<Record<string, unknown>>;
  readonly #owner: RemoteTrackOwner;
  readonly #height: number;
  readonly #streams = new Map<HTMLMediaElement, MediaStream>();
  #viewportSize: ViewportSize | undefined;
  #subscribed: boolean;
  #subscription: Subscription | undefined;
  #preferred: PreferredLayers | undefined;
  #error: RoomError | undefined;

  /** @internal */
  constructor({ id, peerId, kind, appData, height = USUAL_HEIGHT }: RemoteTrackInfo, owner: RemoteTrackOwner) {
    this.id = id;
    this.peerId = peerId;
    this.kind = kind;
    this.appData = appData;
    this.#height = height;
    this.#owner = owner;
    this.#subscribed = owner.subscribed;
  }

  get source(): TrackSource | undefined {
    return sourceOf(this.appData);
  }

  /** The received track. It is another one after its sender or this peer has moved; `attach` follows that. */
  get track(): MediaStreamTrack | undefined {
    return this.#subscription?.track;
  }

  /** `waiting`: media has not arrived yet, or is lost and will be back; meanwhile elements show the last frame. */
  get state(): 'unsubscribed' | 'waiting' | 'live' | 'failed' {
    if (!this.#subscribed) return 'unsubscribed';
    if (this.#subscription && !this.#subscription.closed) return 'live';
    return this.#error ? 'failed' : 'waiting';
  }

  /** Why the track cannot be received while `state` is `failed`, for example because this browser lacks the codec. */
  get error(): RoomError | undefined {
    return this.#error;
  }

  /** Whether its sender or the server has paused it. */
  get muted(): boolean {
    return this.#subscription?.muted ?? false;
  }

  /** Whether this peer receives the track or waits for it. */
  get subscribed(): boolean {
    return this.#subscribed;
  }

  /** Whether the track is not received because no element that it is attached to is on the screen. */
  get paused(): boolean {
    return this.#subscription?.paused ?? false;
  }

  /** The layers that are received now, if the track is sent in several. */
  get layers(): Layers | undefined {
    return this.#subscription?.layers;
  }

  /** The number of sizes that the track is sent in. */
  get layerCount(): number {
    return this.#subscription?.layerCount ?? 1;
  }

  /** How well the track arrives: 0 (not at all) to 10. */
  get score(): number | undefined {
    return this.#subscription?.score;
  }

  /** The server's id of the track, which changes when its sender moves. */
  get producerId(): string | undefined {
    return this.#subscription?.producerId;
  }

  /** Receives the track from now on. The event `trackSubscribed` says when it is there. */
  subscribe(): void {
    this.#setSubscribed(true);
  }

  /** Stops receiving the track until `subscribe`. It stays attached. */
  unsubscribe(): void {
    this.#setSubscribed(false);
  }

  /**
   * Sets the largest size and frame rate to receive of a track that is sent in several; a slow network gets less. 0 is the
   * lowest of each; `undefined` lets the elements that show the track choose.
   *
   * @throws {RoomError} with status 409 if the track is sent in one size
   */
  async setPreferredLayers(layers: PreferredLayers | undefined): Promise<void> {
    this.#preferred = layers;
    if (layers) await this.#subscription?.setPreferredLayers(layers);
    else this.#applyViewportSize();
  }

  /** The elements that the track is attached to. */
  get elements(): readonly HTMLMediaElement[] {
    return [...this.#streams.keys()];
  }

  /**
   * Plays the track in an `<audio>` or `<video>` element, in place of what the element played before, and again after it was
   * lost.
   *
   * @returns a function that detaches it
   */
  attach(element: HTMLMediaElement): () => void {
    const stream = new MediaStream(this.track ? [this.track] : []);
    element.autoplay = true;
    element.srcObject = stream;
    this.#streams.set(element, stream);
    if (this.#owner.adaptive && this.kind === 'video') {
      this.#viewportSize ??= new ViewportSize(() => this.#applyViewportSize());
      this.#viewportSize.add(element);
    }
    return () => {
      if (this.#streams.get(element) !== stream) return;
      this.#streams.delete(element);
      this.#viewportSize?.remove(element);
      if (element.srcObject === stream) element.srcObject = null;
    };
  }

  /**
   * Shows what a subscription receives. The elements keep their streams and only the track in them is replaced, so that the
   * last frame is shown until the next one.
   *
   * @internal
   */
  show(subscription: Subscription): void {
    const former = this.track;
    this.#subscription = subscription;
    this.#error = undefined;
    for (const stream of this.#streams.values()) {
      stream.addTrack(subscription.track);
      if (former) stream.removeTrack(former);
    }
  }

  /**
   * Pauses or resumes a subscription and sets its layers, as the application and the elements want it.
   *
   * @internal
   */
  async configure(subscription: Subscription): Promise<void> {
    const height = this.#viewportSize?.height;
    const { layerCount } = subscription;
    const fitting = height && layerCount > 1 ? { spatialLayer: layerFor(height, this.#height, layerCount) } : undefined;
    const layers = this.#preferred ?? fitting;
    // The daemon handles both in order, so media need not wait for the first answer.
    await Promise.all([layers && subscription.setPreferredLayers(layers), subscription.setPaused(height === 0)]);
  }

  /** @internal */
  get subscription(): Subscription | undefined {
    return this.#subscription;
  }

  /** @internal */
  fail(error: RoomError): void {
    this.#error = error;
  }

  /** @internal */
  hide(): void {
    const { track } = this;
    this.#subscription = undefined;
    if (track) for (const stream of this.#streams.values()) stream.removeTrack(track);
  }

  /**
   * The track was unpublished: stops watching the elements.
   *
   * @internal
   */
  end(): void {
    this.#viewportSize?.close();
  }

  #setSubscribed(subscribed: boolean): void {
    if (this.#subscribed === subscribed) return;
    this.#subscribed = subscribed;
    this.#owner.subscribedChanged(this);
  }

  #applyViewportSize(): void {
    const subscription = this.#subscription;
    if (!subscription) return;
    this.configure(subscription).then(
      () => this.#owner.changed(this),
      // Refused because the consumer or its session is gone, which other events say.
      () => {},
    );
  }
}
