import timers from 'node:timers/promises';
import { type Daemon, shardsOf } from './Daemon.ts';
import type { DaemonTable } from './DaemonTable.ts';
import { rendezvous } from './rendezvous.ts';

/** The greatest age of a cached read, ms. It is only a hint: the condition of the reservation decides. */
const MAX_AGE_MS = 1000;
/** The least time between two reads of the same shard, ms, for callers that want fresher data. */
const LEAST_AGE_MS = 100;
/** How many shards of a region are read first. In a large fleet they have enough daemons. */
const FIRST_SHARDS = 2;

/** Caches the daemons of the table for a second. There is no refresh in the background: a caller that finds old data reads it. */
export class FleetCache {
  readonly #daemons: Pick<DaemonTable, 'listRegions' | 'listShard'>;
  readonly #remembered = new Map<string, { at: number; answer: Promise<unknown> }>();

  constructor(daemons: Pick<DaemonTable, 'listRegions' | 'listShard'>) {
    this.#daemons = daemons;
  }

  /**
   * Daemons in batches, to be tried in turn: those of the wanted region, then those of the others; of each region first the
   * two shards that the key chooses, then the rest. Control planes that race for one room use its id as the key, so they get
   * the same daemons.
   *
   * @param readSince Unix time in milliseconds of the oldest acceptable read.
   */
  async *batches(key: string, region?: string, readSince = Date.now() - MAX_AGE_MS): AsyncGenerator<Daemon[]> {
    const names = await this.#remember('regions', readSince, () => this.#daemons.listRegions());
    const regions = rendezvous(key, names, (name) => name);
    for (const name of regions.toSorted((a, b) => Number(b === region) - Number(a === region))) {
      const shards = rendezvous(key, shardsOf(name), (shard) => shard);
      yield await this.#shards(shards.slice(0, FIRST_SHARDS), readSince);
      yield await this.#shards(shards.slice(FIRST_SHARDS), readSince);
    }
  }

  async #shards(shards: readonly string[], readSince: number): Promise<Daemon[]> {
    const read = (shard: string) => this.#remember(shard, readSince, () => this.#daemons.listShard(shard));
    return (await Promise.all(shards.map(read))).flat();
  }

  async #remember<T>(key: string, readSince: number, read: () => Promise<T>): Promise<T> {
    for (;;) {
      const known = this.#remembered.get(key);
      if (known && known.at >= readSince) return known.answer as Promise<T>;
      const wait = known ? known.at + LEAST_AGE_MS - Date.now() : 0;
      if (wait <= 0) break;
      await timers.setTimeout(wait);
    }
    const answer = read();
    this.#remembered.set(key, { at: Date.now(), answer });
    answer.catch(() => this.#remembered.delete(key));
    return answer;
  }
}
