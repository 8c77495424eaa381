import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { types } from 'mediasoup';
import { chooseSpeaker } from './chooseSpeaker.ts';

const [alice, bob] = ['alice', 'bob'].map((id) => ({ id }) as types.Producer) as [types.Producer, types.Producer];
const at = (producer: types.Producer, loudness: number) => ({ producer, loudness });

test('`chooseSpeaker` without an active speaker returns the loudest peer, or none', () => {
  assert.equal(chooseSpeaker(undefined, [at(alice, -40), at(bob, -30)]), bob);
  assert.equal(chooseSpeaker(alice, []), undefined);
});

test('`chooseSpeaker` gives another only when that is clearly louder, or the active one is no more', () => {
  assert.equal(chooseSpeaker(alice, [at(alice, -40), at(bob, -35)]), alice);
  assert.equal(chooseSpeaker(alice, [at(alice, -40), at(bob, -34)]), bob);
  assert.equal(chooseSpeaker(alice, [at(bob, -50)]), bob);
});
