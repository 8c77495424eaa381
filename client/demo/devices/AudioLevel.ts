/** Sound below this is silence, above the second as loud as it gets, dB relative to full scale. */
const SILENT_DB = -60;
const LOUD_DB = -12;

/** Measures how loud a track is, without playing it. */
export class AudioLevel {
  readonly #context = new AudioContext();
  readonly #analyser = this.#context.createAnalyser();
  readonly #samples: Float32Array<ArrayBuffer>;

  constructor(track: MediaStreamTrack) {
    this.#analyser.fftSize = 1024;
    this.#samples = new Float32Array(this.#analyser.fftSize);
    this.#context.createMediaStreamSource(new MediaStream([track])).connect(this.#analyser);
    // A page that was not clicked yet starts it stopped in some browsers; there the meter moves after the first click.
    void this.#context.resume();
  }

  /** Between 0, which is silence, and 1. */
  read(): number {
    this.#analyser.getFloatTimeDomainData(this.#samples);
    let sum = 0;
    for (const sample of this.#samples) sum += sample * sample;
    const decibels = 10 * Math.log10(sum / this.#samples.length + 1e-12);
    return Math.min(1, Math.max(0, (decibels - SILENT_DB) / (LOUD_DB - SILENT_DB)));
  }

  close(): void {
    void this.#context.close();
  }
}
