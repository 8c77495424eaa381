import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSaturated, loadRatio } from './saturation.ts';

const limits = { cpu: 0.8, consumers: 500 };

test('a worker is saturated by its CPU time or by its consumers, whichever is nearer to its limit', () => {
  assert.equal(isSaturated(false, { cpu: 0.79, consumers: 499 }, limits), false);
  assert.equal(isSaturated(false, { cpu: 0.8, consumers: 0 }, limits), true);
  assert.equal(isSaturated(false, { cpu: 0, consumers: 500 }, limits), true);
  assert.equal(loadRatio({ cpu: 0.4, consumers: 100 }, limits), 0.5);
});

test('a saturated worker is relieved only when it is well below its limits', () => {
  assert.equal(isSaturated(true, { cpu: 0.7, consumers: 0 }, limits), true);
  assert.equal(isSaturated(true, { cpu: 0.5, consumers: 499 }, limits), true);
  assert.equal(isSaturated(true, { cpu: 0.5, consumers: 300 }, limits), false);
});

test('with a limit of 0 consumers every worker is saturated', () => {
  assert.equal(isSaturated(false, { cpu: 0, consumers: 0 }, { cpu: 0.8, consumers: 0 }), true);
  assert.equal(loadRatio({ cpu: 0, consumers: 3 }, { cpu: 0.8, consumers: 0 }), 3);
});
