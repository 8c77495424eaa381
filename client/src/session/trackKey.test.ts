import assert from 'node:assert/strict';
import { test } from 'node:test';
import { splitTrackKey, withTrackKey } from './trackKey.ts';

test('`splitTrackKey` takes apart what `withTrackKey` joined, and the application sees its own alone', () => {
  const key = { trackId: 't', height: 720 };
  assert.deepEqual(splitTrackKey(withTrackKey({ a: 1 }, key)), { appData: { a: 1 }, key });
});

test('`splitTrackKey` returns no key for a sender without the SDK or with an invalid key', () => {
  for (const other of [undefined, null, 3, 't', {}, { trackId: 3 }]) {
    assert.equal(splitTrackKey({ 'mediasoup-server': other }).key, undefined);
  }
});
