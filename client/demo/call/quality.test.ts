import assert from 'node:assert/strict';
import { test } from 'node:test';
import { qualityOf } from './quality.ts';

const fine = { lossRate: 0, jitterMs: 5, framesPerSecond: 30 };

test('`qualityOf` is that of the worst track', () => {
  assert.equal(qualityOf([fine, { ...fine, framesPerSecond: undefined }]), 'good');
  assert.equal(qualityOf([fine, { ...fine, lossRate: 0.05 }]), 'fair');
  assert.equal(qualityOf([fine, { ...fine, jitterMs: 60 }]), 'fair');
  assert.equal(
    qualityOf([
      { ...fine, lossRate: 0.05 },
      { ...fine, lossRate: 0.2 },
    ]),
    'poor',
  );
  assert.equal(qualityOf([fine, { ...fine, jitterMs: 200 }]), 'poor');
  assert.equal(qualityOf([fine, { ...fine, framesPerSecond: 3 }]), 'poor');
});

test('`qualityOf` nothing is unknown', () => {
  assert.equal(qualityOf([]), 'unknown');
});
