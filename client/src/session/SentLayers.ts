/** How long less must be wanted before encodings are turned off, ms: turning them on again costs a key frame. */
const TURN_OFF_AFTER_MS = 2_000;

/**
 * Turns the encodings of one video producer off that no peer receives, and on again at once when one is wanted. Of SVC, which
 * has its layers in one encoding, only all layers together.
 */
export class SentLayers {
  readonly #sender: RTCRtpSender;
  /** The highest layer that is sent: all until the daemon says what is wanted. */
  #sent = Number.POSITIVE_INFINITY;
  #applied: Promise<void> = Promise.resolve();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(sender: RTCRtpSender) {
    this.#sender = sender;
  }

  /** @param spatialLayer the highest that any peer wants; -1: none */
  want(spatialLayer: number): void {
    clearTimeout(this.#timer);
    if (spatialLayer > this.#sent) this.#send(spatialLayer);
    else if (spatialLayer < this.#sent) this.#timer = setTimeout(() => this.#send(spatialLayer), TURN_OFF_AFTER_MS);
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #send(spatialLayer: number): void {
    this.#sent = spatialLayer;
    // One after the other: a browser refuses parameters that are older than the last it was given.
    this.#applied = this.#applied
      .then(() => this.#apply())
      // A browser that cannot do this sends more than anybody needs; a producer that is closed sends nothing.
      .catch(() => {});
  }

  async #apply(): Promise<void> {
    const parameters = this.#sender.getParameters();
    const wanted = parameters.encodings.map((_, layer) => layer <= this.#sent);
    if (parameters.encodings.every(({ active }, layer) => active === wanted[layer])) return;
    for (const [layer, encoding] of parameters.encodings.entries()) encoding.active = wanted[layer] === true;
    await this.#sender.setParameters(parameters);
  }
}
