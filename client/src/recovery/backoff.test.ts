import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backoffMs } from './backoff.ts';

test('`backoffMs` of the first attempt is at most 100 ms', () => {
  assert.equal(backoffMs(1, 0), 0);
  assert.ok(backoffMs(1, 0.999) < 100);
});

test('`backoffMs` grows and stays under its cap', () => {
  for (let attempt = 2; attempt < 2000; attempt++) {
    const [least, most] = [backoffMs(attempt, 0), backoffMs(attempt, 0.999)];
    assert.ok(least >= backoffMs(attempt - 1, 0));
    assert.ok(most < 8000 && least < most);
  }
});
