import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HitCounts } from './HitCounts.ts';

test('a count restarts when its window is over, for each client separately', (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: 0 });
  const counts = new HitCounts(1000);
  const countOf = (client: string) => counts.increment(client).totalHits;
  assert.deepEqual([countOf('a'), countOf('a')], [1, 2]);
  t.mock.timers.setTime(999);
  assert.deepEqual([countOf('a'), countOf('b')], [3, 1]);
  t.mock.timers.setTime(1000);
  assert.equal(counts.get('a'), undefined);
  assert.deepEqual([countOf('a'), countOf('b')], [1, 2]);
  counts.decrement('b');
  assert.equal(counts.get('b')?.totalHits, 1);
  counts.resetKey('b');
  assert.equal(counts.get('b'), undefined);
});
