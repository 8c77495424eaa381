import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { MediaWatch } from './MediaWatch.ts';

/** A watch over one receiver whose clock the test moves. */
function watched(t: TestContext) {
  t.mock.timers.enable({ apis: ['setInterval'] });
  let last: number | undefined;
  const receiver = { getSynchronizationSources: () => (last === undefined ? [] : [{ timestamp: last }]) };
  const on = { expected: true, asked: 0 };
  const watch = new MediaWatch(
    () => (on.expected ? [receiver] : []),
    () => on.asked++,
  );
  t.after(() => watch.close());
  const pass = (ms: number, arrives: boolean) => {
    for (let passed = 0; passed < ms; passed += 250) {
      if (arrives) last = (last ?? 0) + 250;
      t.mock.timers.tick(250);
    }
  };
  return { on, pass };
}

test('`MediaWatch` asks once when media stops for a second, and again after it has come back', (t) => {
  const { on, pass } = watched(t);
  pass(5_000, true);
  assert.equal(on.asked, 0);
  pass(750, false);
  assert.equal(on.asked, 0);
  pass(250, false);
  assert.equal(on.asked, 1);
  pass(60_000, false);
  assert.equal(on.asked, 1);
  pass(1_000, true);
  pass(1_250, false);
  assert.equal(on.asked, 2);
});

test('`MediaWatch` does not ask before the first packet, nor where no media should arrive', (t) => {
  const { on, pass } = watched(t);
  pass(10_000, false);
  pass(1_000, true);
  on.expected = false;
  pass(10_000, false);
  assert.equal(on.asked, 0);
});
