/** A track of another peer, subscribed to. */
export class RemoteTrack {
  readonly track: MediaStreamTrack;
  readonly kind: 'audio' | 'video';
  readonly peerId: string;
  readonly producerId: string;
  readonly appData: Readonly<Record<string, unknown>>;
  #muted: boolean;

  constructor(fields: {
    track: MediaStreamTrack;
    kind: 'audio' | 'video';
    peerId: string;
    producerId: string;
    appData: Record<string, unknown>;
    muted: boolean;
  }) {
    this.track = fields.track;
    this.kind = fields.kind;
    this.peerId = fields.peerId;
    this.producerId = fields.producerId;
    this.appData = fields.appData;
    this.#muted = fields.muted;
  }

  /** Whether its sender, or the server, has paused it. */
  get muted(): boolean {
    return this.#muted;
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
