import type { types } from 'mediasoup';
import { chooseSpeaker } from './chooseSpeaker.ts';
import { levelsDiffer } from './levelsDiffer.ts';
import { MOST_LEVELS, RouterSpeakers, type RouterSpeakersHooks } from './RouterSpeakers.ts';
import type { Level } from './Voices.ts';

/** The last report of one router of the room. */
type Heard = {
  levels: readonly Level[];
  /** Whether it is newer than the last report of the room. */
  fresh: boolean;
  active: types.Producer | undefined;
};

/** The speakers of the whole room. Each producer is observed on its own router only, so that none counts twice. */
export class Speakers {
  readonly #routers = new Map<object, Heard>();
  readonly #hooks: RouterSpeakersHooks;
  #active: types.Producer | undefined;
  #levels: readonly Level[] = [];

  constructor(hooks: RouterSpeakersHooks) {
    this.#hooks = hooks;
  }

  /** The producer of the active speaker; undefined while nobody speaks. */
  get active(): types.Producer | undefined {
    return this.#active;
  }

  /** The last reported levels. */
  get levels(): readonly Level[] {
    return this.#levels;
  }

  /** Observes a router until it closes. */
  listen(router: types.Router): Promise<RouterSpeakers> {
    const heard: Heard = { levels: [], fresh: false, active: undefined };
    this.#routers.set(router, heard);
    router.observer.once('close', () => {
      this.#routers.delete(router);
      if (heard.levels.length > 0) this.#tellLevels();
      this.#choose();
    });
    return RouterSpeakers.create(router, {
      levels: (levels) => this.#takeLevels(heard, levels),
      active: (producer) => {
        heard.active = producer;
        this.#choose();
      },
    });
  }

  /** Takes the levels of all routers at once, when each router with speech has given its own. */
  #takeLevels(heard: Heard, levels: readonly Level[]): void {
    heard.levels = levels;
    heard.fresh = true;
    this.#choose();
    const awaited = [...this.#routers.values()].some(({ fresh, levels: { length } }) => !fresh && length > 0);
    if (!awaited) this.#tellLevels();
  }

  #tellLevels(): void {
    const all = [...this.#routers.values()];
    for (const router of all) router.fresh = false;
    const levels = all.flatMap((router) => router.levels).sort((a, b) => b.volume - a.volume);
    const loudest = levels.slice(0, MOST_LEVELS);
    if (!levelsDiffer(this.#levels, loudest)) return;
    this.#levels = loudest;
    this.#hooks.levels(loudest);
  }

  #choose(): void {
    const speakers = [...this.#routers.values()].flatMap((heard) =>
      heard.active ? [{ producer: heard.active, loudness: loudnessOf(heard) }] : [],
    );
    const active = chooseSpeaker(this.#active, speakers);
    if (active === this.#active) return;
    this.#active = active;
    this.#hooks.active(active);
  }
}

/** The volume of the active speaker. A new one that was not measured yet counts as loudest. */
const loudnessOf = ({ active, levels }: Heard): number =>
  levels.find(({ producer }) => producer === active)?.volume ?? 0;
