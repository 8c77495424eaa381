import type { VideoCodec } from './encodings.ts';

/** What a room does for the tracks that it publishes. */
export interface LocalTrackOwner {
  muteChanged(local: LocalTrack): Promise<void>;
  closed(local: LocalTrack): Promise<void>;
}

export interface PublishOptions {
  /** What the other peers are told about the track, as they get it in `RemoteTrack.appData`. */
  readonly appData?: Record<string, unknown>;
  /** Sends a video track in up to three sizes, of which each receiver gets the one that fits. Default: false. */
  readonly simulcast?: boolean;
  /** The codec of a video track. Default: VP8, which every browser sends and receives. */
  readonly codec?: VideoCodec;
}

/**
 * A track that this peer publishes. It outlives connections: after a loss the room publishes it again by itself.
 *
 * The MediaStreamTrack stays its maker's: closing stops the sending, not the camera. A track that ends is closed.
 */
export class LocalTrack {
  readonly track: MediaStreamTrack;
  readonly appData: Record<string, unknown>;
  readonly simulcast: boolean;
  readonly codec: VideoCodec;
  readonly #owner: LocalTrackOwner;
  #muted = false;
  #closed = false;

  constructor(track: MediaStreamTrack, options: PublishOptions, owner: LocalTrackOwner) {
    this.track = track;
    this.appData = options.appData ?? {};
    this.simulcast = options.simulcast ?? false;
    this.codec = options.codec ?? 'VP8';
    this.#owner = owner;
    track.addEventListener('ended', this.#onEnded);
  }

  get kind(): 'audio' | 'video' {
    return this.track.kind === 'audio' ? 'audio' : 'video';
  }

  get muted(): boolean {
    return this.#muted;
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

  /** Unpublishes the track. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.track.removeEventListener('ended', this.#onEnded);
    await this.#owner.closed(this);
  }

  readonly #onEnded = () => {
    void this.close();
  };

  async #setMuted(muted: boolean): Promise<void> {
    if (this.#closed || this.#muted === muted) return;
    this.#muted = muted;
    this.track.enabled = !muted;
    await this.#owner.muteChanged(this);
  }
}
