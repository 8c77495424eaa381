import { layerFor } from './adaptive/layerFor.ts';
import { ViewportSize } from './adaptive/ViewportSize.ts';
import type { RoomError } from './errors.ts';
import type { Layers, PreferredLayers, Subscription } from './session/Subscription.ts';
import { sourceOf, type TrackSource } from './TrackSource.ts';

/** What is known of a track when it is announced. */
export interface RemoteTrackInfo {
  readonly id: string;
  readonly peerId: string;
  readonly kind: 'audio' | 'video';
  readonly appData: Record<string, unknown>;
  /** The shorter side of the picture, in pixels, where its sender tells. */
  readonly height: number | undefined;
}

/** What a room does for the tracks of others. */
export interface RemoteTrackOwner {
  /** Whether the elements that show a track say what is received of it. */
  readonly adaptive: boolean;
  readonly subscribed: boolean;
  subscribedChanged(track: RemoteTrack): void;
  changed(track: RemoteTrack): void;
}

/** The height that a picture is taken for whose sender tells none. */
const USUAL_HEIGHT = 720;

/**
 * A track that another peer publishes: one object for as long as it does, through every loss of connections on either
 * side. What is attached to an element stays attached.
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

  /** What is received now. It changes when its sender or this peer moves: `attach` follows that by itself. */
  get track(): MediaStreamTrack | undefined {
    return this.#subscription?.track;
  }

  /** `waiting`: the media is not there yet, or is lost and will be back; meanwhile elements show the last frame. */
  get state(): 'unsubscribed' | 'waiting' | 'live' | 'failed' {
    if (!this.#subscribed) return 'unsubscribed';
    if (this.#subscription && !this.#subscription.closed) return 'live';
    return this.#error ? 'failed' : 'waiting';
  }

  /** Why it cannot be received, where `state` is `failed`: for example a codec that this browser lacks. */
  get error(): RoomError | undefined {
    return this.#error;
  }

  /** Whether its sender, or the server, has paused it. */
  get muted(): boolean {
    return this.#subscription?.muted ?? false;
  }

  /** Whether this peer receives it, or wants to. */
  get subscribed(): boolean {
    return this.#subscribed;
  }

  /** Whether it is not received just now because no element that it is attached to is on the screen. */
  get paused(): boolean {
    return this.#subscription?.paused ?? false;
  }

  /** Which of the sizes is received now, where it is sent in several. */
  get layers(): Layers | undefined {
    return this.#subscription?.layers;
  }

  /** How many sizes it is sent in. */
  get layerCount(): number {
    return this.#subscription?.layerCount ?? 1;
  }

  /** How well it arrives: 0, not at all, to 10. */
  get score(): number | undefined {
    return this.#subscription?.score;
  }

  /** The server's id of it, which changes when its sender moves. */
  get producerId(): string | undefined {
    return this.#subscription?.producerId;
  }

  /** Receives the track from now on; `trackSubscribed` tells when its media is there. */
  subscribe(): void {
    this.#setSubscribed(true);
  }

  /** Receives nothing of the track any more, until `subscribe`. It stays attached. */
  unsubscribe(): void {
    this.#setSubscribed(false);
  }

  /**
   * Chooses the largest size and frame rate that is received of a track that is sent in several; the network may force
   * less. 0 is the least of each; `undefined` leaves the choice to the elements that show it.
   *
   * @throws {RoomError} 409 where the track is sent in one size
   */
  async setPreferredLayers(layers: PreferredLayers | undefined): Promise<void> {
    this.#preferred = layers;
    if (layers) await this.#subscription?.setPreferredLayers(layers);
    else this.#applyViewportSize();
  }

  /** Those that it is attached to. */
  get elements(): readonly HTMLMediaElement[] {
    return [...this.#streams.keys()];
  }

  /**
   * Plays the track in an `<audio>` or `<video>` element, instead of what the element played before, also after it was
   * lost and is back.
   *
   * @returns the function that takes it out again
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
   * Shows what is received from now on. The elements' streams stay and only the track in them is another, so that the
   * last frame is shown until the next.
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
   * Has a subscription do what is wanted of the track: let media flow or not, and in which size.
   *
   * @internal
   */
  async configure(subscription: Subscription): Promise<void> {
    const height = this.#viewportSize?.height;
    const { layerCount } = subscription;
    const fitting = height && layerCount > 1 ? { spatialLayer: layerFor(height, this.#height, layerCount) } : undefined;
    const layers = this.#preferred ?? fitting;
    // The daemon takes both in order; media need not wait for the answer to the first.
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
   * It is published no more: what looks at its elements lets go of them.
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
      // Refused because it is gone, or its session is: either is told by itself.
      () => {},
    );
  }
}
