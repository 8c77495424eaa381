import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorCodes } from '@mediasoup-server/proto/errorCodes';
import { problemCodes } from '@mediasoup-server/proto/http';
import { problemToRoomError, protooToRoomError } from './serverErrors.ts';

const problem = (code: string, status: number) => ({ type: 'about:blank', title: 'T', status, code });

test('`problemToRoomError` keeps the code and the `Retry-After` of a full room', () => {
  const error = problemToRoomError(503, { ...problem('ROOM_FULL', 503), detail: '50 of 50' }, '3');
  assert.equal(error.code, 'ROOM_FULL');
  assert.equal(error.message, '50 of 50');
  assert.equal(error.retryAfterMs, 3000);
  assert.equal(error.retryable, true);
});

test('`problemToRoomError` maps each problem of the HTTP API, and 5xx to retryable errors', () => {
  for (const code of problemCodes) {
    const status = errorCodes[code].http;
    const error = problemToRoomError(status, problem(code, status), null);
    if (status >= 500) assert.equal(error.retryable, true, code);
    if (status === 400 || status === 401) assert.equal(error.retryable, false, code);
    assert.equal(error.retryAfterMs, undefined);
  }
});

test('`problemToRoomError` of a response that is not a problem is CONTROL_PLANE_UNREACHABLE', () => {
  for (const body of [undefined, null, 'x', 3, []]) {
    assert.equal(problemToRoomError(502, body, 'Wed, 21 Oct 2026 07:28:00 GMT').code, 'CONTROL_PLANE_UNREACHABLE');
  }
});

test('`protooToRoomError` maps the error code of an answer', () => {
  assert.equal(protooToRoomError({ code: 403, reason: 'no' }).code, 'REFUSED');
  assert.equal(protooToRoomError({ code: 429, reason: 'slow' }).code, 'UNAVAILABLE');
  assert.equal(protooToRoomError({ code: 404, reason: 'gone' }).status, 404);
});

test('`protooToRoomError` reads the code of each error of the daemon, and leaves the text to people', () => {
  for (const [serverCode, { http, meaning }] of Object.entries(errorCodes)) {
    const error = protooToRoomError({ code: http, reason: `${serverCode}: ${meaning}` });
    assert.equal(error.serverCode, serverCode);
    assert.equal(error.message, meaning);
    assert.equal(error.status, http);
  }
  assert.equal(protooToRoomError({ code: 503, reason: 'ROOM_FULL: no more peers' }).code, 'ROOM_FULL');
  assert.equal(protooToRoomError({ code: 503, reason: 'DRAINING: no new peers' }).code, 'UNAVAILABLE');
});

test('`protooToRoomError` of a reason without a code keeps the reason', () => {
  const { serverCode, message } = protooToRoomError({ code: 400, reason: 'appData: is too large' });
  assert.deepEqual([serverCode, message], [undefined, 'appData: is too large']);
});
