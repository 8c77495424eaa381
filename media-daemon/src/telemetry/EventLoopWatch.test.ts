import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { EventLoopWatch } from './EventLoopWatch.ts';

/** @returns the milliseconds it took. */
function block(ms: number): number {
  const start = performance.now();
  while (performance.now() - start < ms);
  return performance.now() - start;
}

test('a blocked event loop is reported once', async (t) => {
  const watch = new EventLoopWatch();
  t.after(() => watch.close());
  await nextTurn();
  watch.take();
  block(200);
  await nextTurn();
  await nextTurn();
  const { meanMs, longestMs } = watch.take();
  // The histogram has a precision of three digits.
  assert.ok(longestMs >= 199, `${longestMs}`);
  assert.ok(meanMs > 0 && meanMs < 1.01 * longestMs, `${meanMs} of ${longestMs}`);
  await nextTurn();
  await nextTurn();
  assert.ok(watch.take().longestMs < longestMs);
});

test('a block of half the time counts half', async (t) => {
  const watch = new EventLoopWatch();
  t.after(() => watch.close());
  await nextTurn();
  watch.take();
  await delay(block(100));
  await nextTurn();
  const { meanMs, longestMs } = watch.take();
  assert.ok(meanMs < 0.9 * longestMs, `${meanMs} of ${longestMs}`);
});
