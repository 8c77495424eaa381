import type { types } from 'mediasoup';
import { type Level, Voices } from './Voices.ts';

/** The least volume that counts as heard, in dBov; a quiet room's noise is below. */
const THRESHOLD = -60;
/** Milliseconds between two looks at the volumes. */
const INTERVAL_MS = 800;
/** How many of the loudest are told. */
export const MOST_LEVELS = 10;

export type RouterSpeakersHooks = {
  /** Who is heard, on average over the last looks; empty once when it becomes silent. */
  readonly levels: (levels: readonly Level[]) => void;
  /** Whose turn it is: changes less often than who is loudest. */
  readonly active: (producer: types.Producer | undefined) => void;
};

/** Listens to the audio producers of one router: how loud they are, and who of them speaks most. */
export class RouterSpeakers {
  readonly #levels: types.AudioLevelObserver;
  readonly #dominant: types.ActiveSpeakerObserver;
  readonly #hooks: RouterSpeakersHooks;
  /** Those that were loud enough once: mediasoup names a dominant speaker also where none is. */
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

  /** mediasoup tells of silence once, when nobody was heard in a look. */
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
