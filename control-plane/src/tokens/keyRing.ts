import { z } from 'zod';
import type { KeySet } from './AssignmentKeys.ts';
import { generateKey, readKey } from './SigningKey.ts';

/** How long a key is in the ring before it signs, ms: ten minutes to be published, and as long until every control plane has read it. */
export const PUBLISHED_MS = 20 * 60_000;
/** How long a key stays in the ring after the next one signs, ms: until everybody knows the next one, and its own tokens have expired. */
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

/** The former, present and next assignment keys, and when each begins to sign. */
export type KeyRing = z.infer<typeof keyRingSchema>;

/** @throws Error that names the secret and shows nothing of its contents. */
export function parseKeyRing(json: string, name: string): KeyRing {
  try {
    return keyRingSchema.parse(JSON.parse(json));
  } catch {
    throw new Error(`the secret ${name} holds no assignment keys: {"keys":[{"pem":"..","signsFrom":".."}]}`);
  }
}

/** The keys of a ring at a Unix time in ms. The latest key whose time has come signs, or the earliest one if none has. */
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

/** Adds a key that signs once every control plane knows it, and drops keys whose tokens have expired. Without a ring it creates one. */
export function rotateKeyRing(ring: KeyRing | undefined, now: number): KeyRing {
  const inOrder = (ring?.keys ?? []).toSorted((a, b) => startOf(a) - startOf(b));
  const kept = inOrder.filter((_key, at) => {
    const next = inOrder[at + 1];
    return !next || startOf(next) + KEPT_MS > now;
  });
  const signsFrom = new Date(kept.length === 0 ? now : now + PUBLISHED_MS).toISOString();
  return { keys: [...kept, { pem: generateKey(), signsFrom }] };
}

const startOf = ({ signsFrom }: KeyRing['keys'][number]): number => Date.parse(signsFrom);
