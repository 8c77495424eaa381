import assert from 'node:assert/strict';
import { test } from 'node:test';
import { layerFor } from './layerFor.ts';

test('`layerFor` chooses the smallest layer that is not much smaller than the element', () => {
  assert.equal(layerFor(90, 720, 3), 0);
  assert.equal(layerFor(180, 720, 3), 0);
  assert.equal(layerFor(226, 720, 3), 1);
  assert.equal(layerFor(360, 720, 3), 1);
  assert.equal(layerFor(451, 720, 3), 2);
  assert.equal(layerFor(5000, 720, 3), 2);
});

test('`layerFor` chooses the only layer of a picture that has one', () => {
  assert.equal(layerFor(10, 720, 1), 0);
});
