export interface PreferredLayers {
  readonly spatialLayer: number;
  readonly temporalLayer?: number;
}

/** A track of another peer, subscribed to. */
export class RemoteTrack {
  readonly track: MediaStreamTrack;
  readonly kind: 'audio' | 'video';
  readonly peerId: string;
  readonly producerId: string;
  readonly appData: Readonly<Record<string, unknown>>;
  readonly #setPreferredLayers: (layers: PreferredLayers) => Promise<void>;
  #muted: boolean;

  constructor(fields: {
    track: MediaStreamTrack;
    kind: 'audio' | 'video';
    peerId: string;
    producerId: string;
    appData: Record<string, unknown>;
    muted: boolean;
    setPreferredLayers: (layers: PreferredLayers) => Promise<void>;
  }) {
    this.track = fields.track;
    this.kind = fields.kind;
    this.peerId = fields.peerId;
    this.producerId = fields.producerId;
    this.appData = fields.appData;
    this.#muted = fields.muted;
    this.#setPreferredLayers = fields.setPreferredLayers;
  }

  /** Whether its sender, or the server, has paused it. */
  get muted(): boolean {
    return this.#muted;
  }

  /**
   * Chooses the largest size and frame rate that is received of a track that is sent in several; the network may force
   * less. 0 is the least of each.
   *
   * @throws {RoomError} 409 where the track is sent in one size
   */
  setPreferredLayers(layers: PreferredLayers): Promise<void> {
    return this.#setPreferredLayers(layers);
  }

  /** Only the session that receives the track calls this. */
  setMuted(muted: boolean): void {
    this.#muted = muted;
  }

  /**
   * Plays the track in an `<audio>` or `<video>` element, instead of what the element played before.
   *
   * @returns the function that takes it out again
   */
  attach(element: HTMLMediaElement): () => void {
    const stream = new MediaStream([this.track]);
    element.autoplay = true;
    element.srcObject = stream;
    return () => {
      if (element.srcObject === stream) element.srcObject = null;
    };
  }
}
