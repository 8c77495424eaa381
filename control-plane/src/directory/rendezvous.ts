import { createHash } from 'node:crypto';

/** How many names' hashes are cached: more than a fleet has daemons. */
const MAX_REMEMBERED = 100_000;
const remembered = new Map<string, number>();

/**
 * Rendezvous hashing: each key orders the names in its own way, which is the same in every process. Adding or removing a name
 * does not change the order of the others.
 */
export function rendezvous<T>(key: string, items: readonly T[], nameOf: (item: T) => string): T[] {
  const seed = hashOf(key);
  return items
    .map((item) => ({ item, name: nameOf(item) }))
    .map(({ item, name }) => ({ item, name, score: mix(seed ^ hashOfName(name)) }))
    .sort((a, b) => b.score - a.score || (a.name < b.name ? -1 : 1))
    .map(({ item }) => item);
}

/** Caches the hashes of names, because a fleet is ranked for each new room. */
function hashOfName(name: string): number {
  const known = remembered.get(name);
  if (known !== undefined) return known;
  if (remembered.size >= MAX_REMEMBERED) remembered.clear();
  const hash = hashOf(name);
  remembered.set(name, hash);
  return hash;
}

const hashOf = (text: string): number => createHash('sha256').update(text).digest().readInt32BE(0);

/** MurmurHash3's finalizer: each bit of the input changes each of the 32 of the result with even chance. */
function mix(bits: number): number {
  let mixed = bits ^ (bits >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
