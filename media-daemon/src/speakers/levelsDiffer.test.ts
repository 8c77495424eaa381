import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { types } from 'mediasoup';
import { levelsDiffer } from './levelsDiffer.ts';

const [alice, bob] = ['alice', 'bob'].map((id) => ({ id }) as types.Producer) as [types.Producer, types.Producer];
const at = (producer: types.Producer, volume: number) => ({ producer, volume });

test('levels differ when others are heard', () => {
  assert.ok(levelsDiffer([], [at(alice, -30)]));
  assert.ok(levelsDiffer([at(alice, -30)], []));
  assert.ok(levelsDiffer([at(alice, -30)], [at(bob, -30)]));
});

test('levels differ when one is louder or quieter by 6 dB, in whichever order they are', () => {
  const before = [at(alice, -30), at(bob, -33)];
  assert.equal(levelsDiffer(before, [at(bob, -29), at(alice, -35)]), false);
  assert.ok(levelsDiffer(before, [at(alice, -24), at(bob, -33)]));
  assert.ok(levelsDiffer(before, [at(alice, -30), at(bob, -39)]));
});
