import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorCodeOf } from './errorCodes.ts';

test('a reason that begins with a code of the table has that code', () => {
  assert.equal(errorCodeOf('ROOM_FULL: it takes 50 peers'), 'ROOM_FULL');
});

for (const reason of ['the room is full', 'ROOM_FULL', 'NO_SUCH_CODE: nothing', 'constructor: x', ' ROOM_FULL: x'])
  test(`the reason ${JSON.stringify(reason)} has no code`, () => assert.equal(errorCodeOf(reason), undefined));
