import type { types } from 'mediasoup';

/** The weight of the newest look in the average of a volume, which jumps with each word. */
const NEWEST = 0.5;
/** For how many looks somebody may be silent between sentences and still be heard. */
const PAUSE_LOOKS = 1;

/** How loud an audio producer is, in dBov. */
export type Level = { readonly producer: types.Producer; readonly volume: number };

/** Who is heard, by looks at who is loud: speech is words with silence between them, which is nobody's end. */
export class Voices {
  readonly #heard = new Map<types.Producer, { volume: number; silentLooks: number }>();

  /**
   * Takes a look at who is loud.
   *
   * @returns who is heard, with the averages of the volumes.
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

  /** It is not heard any more, from the next look on. */
  forget(producer: types.Producer): void {
    this.#heard.delete(producer);
  }
}
