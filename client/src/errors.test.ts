import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RoomError } from './errors.ts';

test('`RoomError.from` returns a RoomError as it is and wraps anything else', () => {
  const error = new RoomError('MOVED', 'm');
  assert.equal(RoomError.from(error), error);
  assert.equal(RoomError.from('x').message, 'x');
});
