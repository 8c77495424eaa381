import assert from 'node:assert/strict';
import { test } from 'node:test';
import { paceMs } from './backoff.ts';

const CLIENTS = 10_000;

/**
 * The attempts in each second after a service returns, of clients that could not reach it for a minute.
 *
 * @param perSecond how many the service accepts; it answers the others with `Retry-After`, 1 to 8 s
 */
function attemptsAfterReturn(perSecond: number): number[] {
  const attempts: number[] = [];
  let waiting = Array.from({ length: CLIENTS }, () => {
    let at = -60_000;
    for (let attempt = 1; at < 0; attempt++) at += paceMs(attempt, true);
    return at;
  });
  for (let second = 0; waiting.length > 0; second++) {
    const due = waiting.filter((at) => at < (second + 1) * 1_000);
    attempts.push(due.length);
    const refused = due.slice(perSecond).map((at) => at + 1_000 + Math.random() * 7_000);
    waiting = [...waiting.filter((at) => at >= (second + 1) * 1_000), ...refused];
  }
  return attempts;
}

test('a service that returns gets one attempt of each of 10,000 clients, spread over 2 s', (t) => {
  const attempts = attemptsAfterReturn(CLIENTS);
  t.diagnostic(`attempts a second: ${attempts.join(', ')}`);
  assert.ok(attempts.length <= 2);
  assert.ok(Math.max(...attempts) < CLIENTS * 0.8);
  assert.equal(
    attempts.reduce((sum, one) => sum + one, 0),
    CLIENTS,
  );
});

test('a service that accepts 1,000 clients a second gets fewer attempts as soon as it answers', (t) => {
  const attempts = attemptsAfterReturn(1_000);
  t.diagnostic(`attempts a second: ${attempts.join(', ')}`);
  assert.ok(Math.max(...attempts.slice(2)) < CLIENTS / 2);
  assert.ok(attempts.length < 30);
});
