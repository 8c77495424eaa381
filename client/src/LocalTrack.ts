import type { VideoCodec } from './encodings.ts';
import { RoomError } from './errors.ts';
import { randomId } from './randomId.ts';
import { sourceOf, type TrackSource } from './TrackSource.ts';

/** Why a track was unpublished: its owner closed it, it ended by itself, or the server closed or refused it. */
export type UnpublishCause = 'closed' | 'ended' | 'refused';

/** How a local track reaches the room that publishes it. */
export interface LocalTrackOwner {
  muteChanged(local: LocalTrack): Promise<void>;
  trackReplaced(local: LocalTrack): Promise<void>;
  /** A property that a user interface shows has changed. */
  changed(local: LocalTrack): void;
  closed(local: LocalTrack, cause: UnpublishCause): Promise<void>;
}

export interface PublishOptions {
  /** Sent to the other peers, who have it as `RemoteTrack.appData`. */
  readonly appData?: Record<string, unknown>;
  /** What the track shows or plays; sent to the other peers as `appData.source`. */
  readonly source?: TrackSource;
  /** Sends a video track in up to three sizes; each receiver gets the one that fits. Default: false. */
  readonly simulcast?: boolean;
  /** The codec of a video track. Default: VP8, which every browser sends and receives. */
  readonly codec?: VideoCodec;
}

/**
 * A track that this peer publishes: one object from `publish` until it is closed, whatever connections are lost meanwhile.
 *
 * The application keeps owning the MediaStreamTrack: `close` stops sending it, not the camera. A track that ends is closed.
 */
export class LocalTrack {
  /** The same at the other peers, as `RemoteTrack.id`. */
  readonly id: string = randomId();
  readonly appData: Readonly<Record<string, unknown>>;
  readonly simulcast: boolean;
  readonly codec: VideoCodec;
  readonly #owner: LocalTrackOwner;
  #track: MediaStreamTrack;
  #muted = false;
  #mutedByServer = false;
  #closed = false;

  /** @internal */
  constructor(track: MediaStreamTrack, options: PublishOptions, owner: LocalTrackOwner) {
    this.#track = track;
    this.appData = { ...options.appData, ...(options.source && { source: options.source }) };
    this.simulcast = options.simulcast ?? false;
    this.codec = options.codec ?? 'VP8';
    this.#owner = owner;
    track.addEventListener('ended', this.#onEnded);
  }

  /** The track that is sent; `replaceTrack` changes it. */
  get track(): MediaStreamTrack {
    return this.#track;
  }

  get kind(): 'audio' | 'video' {
    return this.#track.kind === 'audio' ? 'audio' : 'video';
  }

  get source(): TrackSource | undefined {
    return sourceOf(this.appData);
  }

  /** The shorter side of the picture in pixels, if known. */
  get height(): number | undefined {
    const { width, height } = this.#track.getSettings();
    return width === undefined || height === undefined ? undefined : Math.min(width, height);
  }

  get muted(): boolean {
    return this.#muted;
  }

  /** Whether a backend has muted the track: nothing is sent until the backend allows it again. */
  get mutedByServer(): boolean {
    return this.#mutedByServer;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Stops sending at once, until `unmute`. Resolves when the server has confirmed it. */
  mute(): Promise<void> {
    return this.#setMuted(true);
  }

  unmute(): Promise<void> {
    return this.#setMuted(false);
  }

  /**
   * Sends another track of the same kind instead, for example of another camera. Nothing is negotiated, so the other peers
   * see it at once. The application stops the former track. If this fails, the former track is still sent.
   *
   * @throws {RoomError} INVALID_REQUEST if the track has ended or is of the other kind
   */
  async replaceTrack(track: MediaStreamTrack): Promise<void> {
    if (this.#closed || track === this.#track) return;
    if (track.kind !== this.kind) {
      throw new RoomError('INVALID_REQUEST', `A track of kind ${track.kind} cannot replace one of kind ${this.kind}`);
    }
    if (track.readyState === 'ended') throw new RoomError('INVALID_REQUEST', 'The track has ended');
    const former = this.#track;
    const { enabled } = track;
    this.#use(track);
    track.enabled = !this.#muted;
    try {
      await this.#owner.trackReplaced(this);
    } catch (error) {
      // A later call may have replaced the track again.
      if (this.#track === track && !this.#closed) {
        track.enabled = enabled;
        this.#use(former);
        former.enabled = !this.#muted;
        // The track may have been replaced at one of two daemons only; the next session publishes the present track.
        await this.#owner.trackReplaced(this).catch(() => {});
        if (former.readyState === 'ended') await this.end('ended');
      }
      throw error;
    }
    this.#owner.changed(this);
  }

  /** Unpublishes the track. */
  close(): Promise<void> {
    return this.end('closed');
  }

  /** @internal */
  async end(cause: UnpublishCause): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#track.removeEventListener('ended', this.#onEnded);
    await this.#owner.closed(this, cause);
  }

  /** @internal */
  setMutedByServer(muted: boolean): void {
    if (this.#mutedByServer === muted) return;
    this.#mutedByServer = muted;
    this.#owner.changed(this);
  }

  /**
   * A backend has muted the track, and its owner may unmute it.
   *
   * @internal
   */
  muteForServer(): void {
    if (this.#muted) return;
    this.#muted = true;
    this.#track.enabled = false;
    this.#owner.changed(this);
  }

  readonly #onEnded = () => {
    void this.end('ended');
  };

  #use(track: MediaStreamTrack): void {
    this.#track.removeEventListener('ended', this.#onEnded);
    this.#track = track;
    track.addEventListener('ended', this.#onEnded);
  }

  async #setMuted(muted: boolean): Promise<void> {
    if (this.#closed || this.#muted === muted) return;
    this.#muted = muted;
    this.#track.enabled = !muted;
    this.#owner.changed(this);
    await this.#owner.muteChanged(this);
  }
}
