import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Paced } from './Paced.ts';

function paced(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const passed: number[] = [];
  return { paced: new Paced<number>((value) => passed.push(value)), passed };
}

test('`Paced` passes on a value at once, and of those that follow the latest every 500 ms', (t) => {
  const { paced: values, passed } = paced(t);
  for (let value = 0; value < 100; value++) values.push(value);
  assert.deepEqual(passed, [0]);
  t.mock.timers.tick(499);
  assert.deepEqual(passed, [0]);
  t.mock.timers.tick(1);
  assert.deepEqual(passed, [0, 99]);
  values.push(100);
  assert.deepEqual(passed, [0, 99]);
  t.mock.timers.tick(500);
  assert.deepEqual(passed, [0, 99, 100]);
  t.mock.timers.tick(500);
  values.push(101);
  assert.deepEqual(passed, [0, 99, 100, 101]);
});

test('`Paced` passes on nothing after it was closed', (t) => {
  const { paced: values, passed } = paced(t);
  for (const value of [0, 1]) values.push(value);
  values.close();
  t.mock.timers.tick(5000);
  assert.deepEqual(passed, [0]);
});
