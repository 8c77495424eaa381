import { z } from 'zod';
import type { KeySet } from './AssignmentKeys.ts';
import { generateKey, readKey } from './SigningKey.ts';

/** How long a key is in the ring before it signs: the ten minutes that it is published, and the time until all have read it. */
export const PUBLISHED_MS = 20 * 60_000;
/** How long a key stays in the ring after the next one signs: until that is known to all, and its own tokens are over. */
const KEPT_MS = 30 * 60_000;

const keyRingSchema = z.strictObject({
  keys: z
    .array(
      z.strictObject({
        /** PKCS 8. */
        pem: z.string(),
        /** RFC 3339. */
        signsFrom: z.iso.datetime(),
      }),
    )
    .min(1),
});

/** Assignment keys of the past, of now and of the next hours, with when each begins to sign. */
export type KeyRing = z.infer<typeof keyRingSchema>;

/** @throws Error that names the secret, and tells nothing of what is in it. */
export function parseKeyRing(json: string, name: string): KeyRing {
  try {
    return keyRingSchema.parse(JSON.parse(json));
  } catch {
    throw new Error(`the secret ${name} holds no assignment keys: {"keys":[{"pem":"..","signsFrom":".."}]}`);
  }
}

/** The keys of a ring at a time, Unix time in ms: the latest that may sign does, and the earliest where none may yet. */
export async function keySetAt(ring: KeyRing, now: number, name: string): Promise<KeySet> {
  const inOrder = ring.keys.toSorted((a, b) => startOf(a) - startOf(b));
  const keys = await Promise.all(inOrder.map(({ pem }) => readKey(pem, name)));
  const at = Math.max(
    0,
    inOrder.findLastIndex((key) => startOf(key) <= now),
  );
  const signing = keys[at] as KeySet['signing'];
  return { signing, others: keys.filter((key) => key !== signing) };
}

/** Adds a key that signs once all know it, and drops those whose tokens are over. Of no ring it makes the first one. */
export function turnKeyRing(ring: KeyRing | undefined, now: number): KeyRing {
  const inOrder = (ring?.keys ?? []).toSorted((a, b) => startOf(a) - startOf(b));
  const kept = inOrder.filter((_key, at) => {
    const next = inOrder[at + 1];
    return !next || startOf(next) + KEPT_MS > now;
  });
  const signsFrom = new Date(kept.length === 0 ? now : now + PUBLISHED_MS).toISOString();
  return { keys: [...kept, { pem: generateKey(), signsFrom }] };
}

const startOf = ({ signsFrom }: KeyRing['keys'][number]): number => Date.parse(signsFrom);
