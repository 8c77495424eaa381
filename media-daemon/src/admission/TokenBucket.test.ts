import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TokenBucket } from './TokenBucket.ts';

const rate = { perSecond: 10, burst: 5 };

test('a bucket gives its burst at once, and then its rate', () => {
  const bucket = new TokenBucket(rate, 0);
  const given = (from: number, count: number, step: number) =>
    Array.from({ length: count }, (_, index) => bucket.take(1, from + index * step)).filter(Boolean).length;
  assert.equal(given(0, 20, 0), 5);
  assert.equal(given(100, 1000, 1), 10, 'a second of trying every millisecond');
});

test('a cost above the balance leaves a debt', () => {
  const bucket = new TokenBucket(rate, 0);
  assert.ok(bucket.take(15, 0));
  assert.ok(!bucket.take(1, 1000));
  assert.ok(bucket.take(1, 1100));
});

test('a bucket is full when nothing was taken for long enough', () => {
  const bucket = new TokenBucket(rate, 0);
  bucket.take(5, 0);
  assert.ok(!bucket.isFull(499));
  assert.ok(bucket.isFull(500));
});
