import type { types } from 'mediasoup';
import { chooseSpeaker } from './chooseSpeaker.ts';
import { type Level, MOST_LEVELS, RouterSpeakers, type RouterSpeakersHooks } from './RouterSpeakers.ts';

/** What one router of the room said last. */
type Heard = {
  levels: readonly Level[];
  /** Whether it has said so since the room was told. */
  fresh: boolean;
  active: types.Producer | undefined;
  /** Of the active one, in dBov. */
  loudness: number;
};

/** The weight of the newest look in the average of a speaker's volume. */
const NEWEST = 0.5;

/** Who is heard in the whole room. Each producer is listened to on its own router alone, so that none counts twice. */
export class Speakers {
  readonly #routers = new Map<object, Heard>();
  readonly #hooks: RouterSpeakersHooks;
  #active: types.Producer | undefined;

  constructor(hooks: RouterSpeakersHooks) {
    this.#hooks = hooks;
  }

  /** The producer of who speaks, undefined while nobody does. */
  get active(): types.Producer | undefined {
    return this.#active;
  }

  /** Listens on a router until that closes. */
  listen(router: types.Router): Promise<RouterSpeakers> {
    const heard: Heard = { levels: [], fresh: false, active: undefined, loudness: 0 };
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
        heard.loudness = volumeOf(heard) ?? 0;
        this.#choose();
      },
    });
  }

  /** Tells the levels of all routers at once, when each that hears somebody has given its own. */
  #takeLevels(heard: Heard, levels: readonly Level[]): void {
    heard.levels = levels;
    heard.fresh = true;
    const volume = volumeOf(heard);
    if (volume !== undefined) heard.loudness += NEWEST * (volume - heard.loudness);
    this.#choose();
    const awaited = [...this.#routers.values()].some(({ fresh, levels: { length } }) => !fresh && length > 0);
    if (!awaited) this.#tellLevels();
  }

  #tellLevels(): void {
    const all = [...this.#routers.values()];
    for (const router of all) router.fresh = false;
    const told = all.flatMap((router) => router.levels).sort((a, b) => b.volume - a.volume);
    this.#hooks.levels(told.slice(0, MOST_LEVELS));
  }

  #choose(): void {
    const speakers = [...this.#routers.values()].flatMap(({ active: producer, loudness }) =>
      producer ? [{ producer, loudness }] : [],
    );
    const active = chooseSpeaker(this.#active, speakers);
    if (active === this.#active) return;
    this.#active = active;
    this.#hooks.active(active);
  }
}

const volumeOf = ({ active, levels }: Heard): number | undefined =>
  levels.find(({ producer }) => producer === active)?.volume;
