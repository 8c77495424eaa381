import assert from 'node:assert/strict';
import { test } from 'node:test';
import { layerFor } from './layerFor.ts';

test('`layerFor` takes the least layer that is not much smaller than shown', () => {
  assert.equal(layerFor(90, 720, 3), 0);
  assert.equal(layerFor(180, 720, 3), 0);
  assert.equal(layerFor(226, 720, 3), 1);
  assert.equal(layerFor(360, 720, 3), 1);
  assert.equal(layerFor(451, 720, 3), 2);
  assert.equal(layerFor(5000, 720, 3), 2);
});

test('`layerFor` of a picture without layers is the only one', () => {
  assert.equal(layerFor(10, 720, 1), 0);
});
