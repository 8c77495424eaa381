import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { types } from 'mediasoup';
import { Voices } from './Voices.ts';

const [alice, bob] = ['alice', 'bob'].map((id) => ({ id }) as types.Producer) as [types.Producer, types.Producer];
const at = (producer: types.Producer, volume: number) => ({ producer, volume });

test('a pause of one look is none, one of two is the end', () => {
  const voices = new Voices();
  voices.take([at(alice, -30), at(bob, -40)]);
  assert.deepEqual(voices.take([at(bob, -40)]), [at(alice, -30), at(bob, -40)]);
  voices.take([at(alice, -30), at(bob, -40)]);
  assert.deepEqual(voices.take([]), [at(alice, -30), at(bob, -40)]);
  assert.deepEqual(voices.take([]), []);
});

test('a volume is the average of the last measurements, and a new voice starts with its own', () => {
  const voices = new Voices();
  assert.deepEqual(voices.take([at(alice, -20)]), [at(alice, -20)]);
  assert.deepEqual(voices.take([at(alice, -50)]), [at(alice, -35)]);
  voices.take([]);
  assert.deepEqual(voices.take([at(alice, -25)]), [at(alice, -30)]);
  voices.take([]);
  voices.take([]);
  assert.deepEqual(voices.take([at(alice, -50)]), [at(alice, -50)]);
});

test('a forgotten voice is not reported in a pause', () => {
  const voices = new Voices();
  voices.take([at(alice, -30)]);
  voices.forget(alice);
  assert.deepEqual(voices.take([]), []);
});
