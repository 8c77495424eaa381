import type { types } from 'mediasoup';

/** The least volume that counts as heard, in dBov; a quiet room's noise is below. */
const THRESHOLD = -60;
/** Milliseconds between two looks at the volumes. */
const INTERVAL_MS = 800;
/** How many of the loudest are told. */
export const MOST_LEVELS = 10;

export type Level = { readonly producer: types.Producer; readonly volume: number };

export type RouterSpeakersHooks = {
  /** Who is heard, the loudest first; empty once when it becomes silent. */
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
      hooks.levels(loud);
      for (const { producer } of loud) this.#heard.add(producer);
      // mediasoup names the dominant speaker when it changes, so after a silence the last one may count again.
      const dominant = loud.find(({ producer }) => producer === this.#lastDominant);
      if (dominant) this.#setActive(dominant.producer);
      else if (!this.#active) this.#setActive(loud[0]?.producer);
    });
    levels.on('silence', () => {
      hooks.levels([]);
      this.#setActive(undefined);
    });
  }

  async add(producer: types.Producer): Promise<void> {
    const { id: producerId } = producer;
    producer.observer.once('close', () => this.#forget(producer));
    await Promise.all([this.#levels.addProducer({ producerId }), this.#dominant.addProducer({ producerId })]);
  }

  #forget(producer: types.Producer): void {
    if (this.#lastDominant === producer) this.#lastDominant = undefined;
    if (this.#active === producer) this.#setActive(undefined);
  }

  #setActive(producer: types.Producer | undefined): void {
    if (producer === this.#active) return;
    this.#active = producer;
    this.#hooks.active(producer);
  }
}
