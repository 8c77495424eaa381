import type { types } from 'mediasoup';

/** The weight of the newest measurement in the average of a volume, which jumps with each word. */
const NEWEST = 0.5;
/** The number of silent measurements after which a producer is not audible any more: speakers pause between sentences. */
const PAUSE_LOOKS = 1;

/** How loud an audio producer is, in dBov. */
export type Level = { readonly producer: types.Producer; readonly volume: number };

/** Averages the measured volumes, so that the pauses of speech do not count as silence. */
export class Voices {
  readonly #heard = new Map<types.Producer, { volume: number; silentLooks: number }>();

  /**
   * Takes a measurement of the loud producers.
   *
   * @returns the audible producers with their average volumes.
   */
  take(loud: readonly Level[]): Level[] {
    for (const voice of this.#heard.values()) voice.silentLooks++;
    for (const { producer, volume } of loud) {
      const before = this.#heard.get(producer)?.volume ?? volume;
      this.#heard.set(producer, { volume: before + NEWEST * (volume - before), silentLooks: 0 });
    }
    for (const [producer, { silentLooks }] of this.#heard) if (silentLooks > PAUSE_LOOKS) this.#heard.delete(producer);
    return [...this.#heard].map(([producer, { volume }]) => ({ producer, volume: Math.round(volume) }));
  }

  /** Drops a producer from the next measurement on. */
  forget(producer: types.Producer): void {
    this.#heard.delete(producer);
  }
}
