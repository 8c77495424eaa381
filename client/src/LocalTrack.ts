import type { VideoCodec } from './encodings.ts';
import { RoomError } from './errors.ts';
import { randomId } from './randomId.ts';
import { sourceOf, type TrackSource } from './TrackSource.ts';

/** Why a track is published no more: its owner closed it, it ended by itself, or the server took or refused it. */
export type UnpublishCause = 'closed' | 'ended' | 'refused';

/** What a room does for the tracks that it publishes. */
export interface LocalTrackOwner {
  muteChanged(local: LocalTrack): Promise<void>;
  trackReplaced(local: LocalTrack): Promise<void>;
  /** Something that a user interface shows has changed. */
  changed(local: LocalTrack): void;
  closed(local: LocalTrack, cause: UnpublishCause): Promise<void>;
}

export interface PublishOptions {
  /** What the other peers are told about the track, as they get it in `RemoteTrack.appData`. */
  readonly appData?: Record<string, unknown>;
  /** What it shows or plays; the others are told in `appData.source`. */
  readonly source?: TrackSource;
  /** Sends a video track in up to three sizes, of which each receiver gets the one that fits. Default: false. */
  readonly simulcast?: boolean;
  /** The codec of a video track. Default: VP8, which every browser sends and receives. */
  readonly codec?: VideoCodec;
}

/**
 * A track that this peer publishes: one object from `publish` to its end, through every loss of connections.
 *
 * The MediaStreamTrack stays its maker's: closing stops the sending, not the camera. A track that ends is closed.
 */
export class LocalTrack {
  /** The same for all peers, in `RemoteTrack.id`. */
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

  /** What is sent now; `replaceTrack` changes it. */
  get track(): MediaStreamTrack {
    return this.#track;
  }

  get kind(): 'audio' | 'video' {
    return this.#track.kind === 'audio' ? 'audio' : 'video';
  }

  get source(): TrackSource | undefined {
    return sourceOf(this.appData);
  }

  /** The shorter side of the picture, in pixels, where it is known. */
  get height(): number | undefined {
    const { width, height } = this.#track.getSettings();
    return width === undefined || height === undefined ? undefined : Math.min(width, height);
  }

  get muted(): boolean {
    return this.#muted;
  }

  /** Whether a backend has muted it: nothing is sent until that allows it again. */
  get mutedByServer(): boolean {
    return this.#mutedByServer;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Stops sending, at once, until `unmute`; resolves when the server knows. */
  mute(): Promise<void> {
    return this.#setMuted(true);
  }

  unmute(): Promise<void> {
    return this.#setMuted(false);
  }

  /**
   * Sends another track of the same kind instead, for example of another camera, without anything to negotiate: the
   * others see it at once. The former track is its maker's to stop. Where this fails the former track is sent on.
   *
   * @throws {RoomError} INVALID_REQUEST where the track has ended or is of the other kind
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
      // A later call may have replaced it by another one.
      if (this.#track === track && !this.#closed) {
        track.enabled = enabled;
        this.#use(former);
        former.enabled = !this.#muted;
        // The track may have been replaced at one of two places; what fails here is published again with the next place.
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
   * A backend has muted it and leaves it to its owner to unmute it.
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
