import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { MediaWatch } from './MediaWatch.ts';

/** A watch over one receiver whose clock the test moves. */
function watched(t: TestContext) {
  t.mock.timers.enable({ apis: ['setInterval'] });
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  let last: number | undefined;
  const receiver = { getSynchronizationSources: () => (last === undefined ? [] : [{ timestamp: last }]) };
  const on = { expected: true, asked: 0 };
  const watch = new MediaWatch(
    () => (on.expected ? [receiver] : []),
    () => on.asked++,
  );
  t.after(() => watch.close());
  /** @param lookMs how long it is between two looks, which a hidden page makes longer. */
  const pass = (ms: number, arrives: boolean, lookMs = 100) => {
    for (let passed = 0; passed < ms; passed += lookMs) {
      now += lookMs;
      if (arrives) last = now;
      t.mock.timers.tick(100);
    }
  };
  return { on, pass };
}

test('`MediaWatch` asks once when media stops for half a second, and again after it has come back', (t) => {
  const { on, pass } = watched(t);
  pass(5_000, true);
  assert.equal(on.asked, 0);
  pass(400, false);
  assert.equal(on.asked, 0);
  pass(100, false);
  assert.equal(on.asked, 1);
  pass(60_000, false);
  assert.equal(on.asked, 1);
  pass(1_000, true);
  pass(500, false);
  assert.equal(on.asked, 2);
});

test('`MediaWatch` asks in a hidden page, which looks once a second, after a second', (t) => {
  const { on, pass } = watched(t);
  pass(5_000, true, 1_000);
  assert.equal(on.asked, 0);
  pass(1_000, false, 1_000);
  assert.equal(on.asked, 1);
});

test('`MediaWatch` asks at most once in two seconds where a packet comes now and then, and stays awake', (t) => {
  const { on, pass } = watched(t);
  for (let second = 0; second < 60; second++) {
    pass(100, true);
    pass(900, false);
  }
  assert.equal(on.asked, 30);
  pass(100, true);
  pass(2_000, false);
  assert.equal(on.asked, 31);
});

test('`MediaWatch` does not ask before the first packet, nor where no media should arrive', (t) => {
  const { on, pass } = watched(t);
  pass(10_000, false);
  pass(1_000, true);
  on.expected = false;
  pass(10_000, false);
  assert.equal(on.asked, 0);
});
