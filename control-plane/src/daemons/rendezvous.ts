import { createHash } from 'node:crypto';

/**
 * Rendezvous hashing: each key has an order of the names of its own, the same for everybody, and a name that is added
 * or taken away moves no other.
 */
export function rendezvous<T>(key: string, items: readonly T[], nameOf: (item: T) => string): T[] {
  return items
    .map((item) => ({ item, name: nameOf(item), score: score(key, nameOf(item)) }))
    .sort((a, b) => b.score - a.score || (a.name < b.name ? -1 : 1))
    .map(({ item }) => item);
}

/** 48 bits, which a number holds exactly. JSON keeps ("a", "bc") and ("ab", "c") apart. */
const score = (key: string, name: string): number =>
  createHash('sha256')
    .update(JSON.stringify([key, name]))
    .digest()
    .readUIntBE(0, 6);
