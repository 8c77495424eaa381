import type { types } from 'mediasoup';
import { type Level, Voices } from './Voices.ts';

/** The lowest volume that counts as speech, in dBov; the noise of a quiet room is below. */
const THRESHOLD = -60;
/** Milliseconds between two measurements of the volumes. */
const INTERVAL_MS = 800;
/** How many of the loudest producers are reported. */
export const MOST_LEVELS = 10;

export type RouterSpeakersHooks = {
  /** The audible producers with their average volumes; empty once when everybody is silent. */
  readonly levels: (levels: readonly Level[]) => void;
  /** The dominant speaker, which changes less often than the loudest producer. */
  readonly active: (producer: types.Producer | undefined) => void;
};

/** Observes the audio producers of one router: their volumes, and the dominant speaker. */
export class RouterSpeakers {
  readonly #levels: types.AudioLevelObserver;
  readonly #dominant: types.ActiveSpeakerObserver;
  readonly #hooks: RouterSpeakersHooks;
  /** Producers that were audible once: mediasoup names a dominant speaker even when nobody speaks. */
  readonly #heard = new WeakSet<types.Producer>();
  readonly #voices = new Voices();
  #silence: NodeJS.Timeout | undefined;
  #active: types.Producer | undefined;
  #lastDominant: types.Producer | undefined;

  static async create(router: types.Router, hooks: RouterSpeakersHooks): Promise<RouterSpeakers> {
    const levels = await router.createAudioLevelObserver({
      maxEntries: MOST_LEVELS,
      threshold: THRESHOLD,
      interval: INTERVAL_MS,
    });
    return new RouterSpeakers(levels, await router.createActiveSpeakerObserver(), hooks);
  }

  private constructor(
    levels: types.AudioLevelObserver,
    dominant: types.ActiveSpeakerObserver,
    hooks: RouterSpeakersHooks,
  ) {
    this.#levels = levels;
    this.#dominant = dominant;
    this.#hooks = hooks;
    dominant.on('dominantspeaker', ({ producer }) => {
      this.#lastDominant = producer;
      if (this.#heard.has(producer)) this.#setActive(producer);
    });
    levels.on('volumes', (loud) => {
      clearTimeout(this.#silence);
      hooks.levels(this.#voices.take(loud));
      for (const { producer } of loud) this.#heard.add(producer);
      // mediasoup names the dominant speaker when it changes, so after a silence the last one may count again.
      const dominant = loud.find(({ producer }) => producer === this.#lastDominant);
      if (dominant) this.#setActive(dominant.producer);
      else if (!this.#active) this.#setActive(loud[0]?.producer);
    });
    levels.on('silence', () => this.#beSilent());
    levels.observer.once('close', () => clearTimeout(this.#silence));
  }

  async add(producer: types.Producer): Promise<void> {
    const { id: producerId } = producer;
    producer.observer.once('close', () => this.#forget(producer));
    producer.observer.on('pause', () => this.#voices.forget(producer));
    await Promise.all([this.#levels.addProducer({ producerId }), this.#dominant.addProducer({ producerId })]);
  }

  /** mediasoup emits `silence` once, when a measurement has no audible producer. */
  #beSilent(): void {
    const levels = this.#voices.take([]);
    this.#hooks.levels(levels);
    if (levels.length === 0) this.#setActive(undefined);
    else this.#silence = setTimeout(() => this.#beSilent(), INTERVAL_MS).unref();
  }

  #forget(producer: types.Producer): void {
    this.#voices.forget(producer);
    if (this.#lastDominant === producer) this.#lastDominant = undefined;
    if (this.#active === producer) this.#setActive(undefined);
  }

  #setActive(producer: types.Producer | undefined): void {
    if (producer === this.#active) return;
    this.#active = producer;
    this.#hooks.active(producer);
  }
}
