import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createLogger } from '@mediasoup-server/server-kit/logger';
import { AssignmentKeys, REREAD_MS } from './AssignmentKeys.ts';
import { type KeyRing, keySetAt, PUBLISHED_MS, parseKeyRing, rotateKeyRing } from './keyRing.ts';

const MINUTE = 60_000;
const START = Date.parse('2026-03-01T00:00:00Z');
const kidsOf = async (ring: KeyRing, now: number) => {
  const { signing, others } = await keySetAt(ring, now, 'ring');
  return { signing: signing.kid, published: [signing, ...others].map(({ kid }) => kid) };
};

describe('a ring of assignment keys', () => {
  test('the first key signs at once, and the next one when all have known it for ten minutes', async () => {
    const first = rotateKeyRing(undefined, START);
    const { signing: a } = await kidsOf(first, START);
    const rotated = rotateKeyRing(first, START + MINUTE);
    const before = await kidsOf(rotated, START + PUBLISHED_MS);
    assert.equal(before.signing, a);
    assert.equal(before.published.length, 2);
    const after = await kidsOf(rotated, START + MINUTE + PUBLISHED_MS);
    assert.notEqual(after.signing, a);
    assert.deepEqual(after.published.toSorted(), before.published.toSorted());
    assert.ok(PUBLISHED_MS - REREAD_MS >= 10 * MINUTE);
  });

  test('no key goes while its tokens live, however often the ring is rotated', async () => {
    let ring: KeyRing | undefined;
    /** When each key signed last. */
    const signed = new Map<string, number>();
    for (let now = START; now < START + 24 * 60 * MINUTE; now += 7 * MINUTE) {
      if (Math.random() < 0.2 || !ring) ring = rotateKeyRing(ring, now);
      const { signing, published } = await kidsOf(ring, now);
      signed.set(signing, now);
      for (const [kid, at] of signed) {
        if (now - at <= 15 * MINUTE)
          assert.ok(published.includes(kid), `${(now - at) / MINUTE} minutes after it signed`);
      }
      assert.ok(ring.keys.length < 12);
    }
    assert.ok(signed.size > 3);
  });

  test('an invalid key ring is refused with the name of its secret and nothing of its content', () => {
    for (const wrong of ['', 'secret', '{"keys":[]}', '{"keys":[{"pem":"secret","signsFrom":"tomorrow"}]}']) {
      assert.throws(
        () => parseKeyRing(wrong, 'keys'),
        (error: Error) => {
          assert.match(error.message, /^the secret keys holds no assignment keys/);
          return !error.message.includes('"secret"');
        },
      );
    }
    const ring = rotateKeyRing(undefined, START);
    assert.deepEqual(parseKeyRing(JSON.stringify(ring), 'keys'), ring);
  });

  test('keys that are followed are read again after five minutes, and kept where that fails', async (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: START });
    let ring = rotateKeyRing(undefined, START);
    let reads = 0;
    let fails = false;
    const keys = await AssignmentKeys.follow(
      async () => {
        reads++;
        if (fails) throw new Error('away');
        return keySetAt(ring, Date.now(), 'ring');
      },
      createLogger('test', 'silent'),
    );
    const published = async () => (await keys.jwks()).keys.length;
    ring = rotateKeyRing(ring, START);
    t.mock.timers.setTime(START + REREAD_MS - 1);
    assert.equal(await published(), 1);
    t.mock.timers.setTime(START + REREAD_MS);
    fails = true;
    assert.deepEqual([await published(), await published(), reads], [1, 1, 2]);
    fails = false;
    t.mock.timers.setTime(START + REREAD_MS + 10_000);
    assert.deepEqual(await Promise.all([published(), published()]), [2, 2]);
    assert.equal(reads, 3);
  });
});
