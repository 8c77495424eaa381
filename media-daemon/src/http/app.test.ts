import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problemSchema, rtpCapabilitiesSchema } from '@mediasoup-server/proto/http';
import { SignalingClient } from '../testing/SignalingClient.ts';
import { testDaemon } from '../testing/testDaemon.ts';

/** The problem that an answer carries. */
async function problemOf(answer: Response) {
  assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json/);
  const problem = problemSchema.parse(await answer.json());
  assert.equal(problem.status, answer.status);
  return problem;
}

test('`GET /health` answers exactly that the daemon lives', async (t) => {
  const { httpUrl } = await testDaemon(t);
  const answer = await fetch(`${httpUrl}/health`);
  assert.equal(answer.status, 200);
  assert.equal(await answer.text(), '{"message":"ok"}');
  assert.equal(answer.headers.get('x-frame-options'), 'DENY');
  assert.equal(answer.headers.get('content-security-policy'), "default-src 'none'; frame-ancestors 'none'");
});

test('`GET /ready` with a worker running answers 200', async (t) => {
  const { httpUrl } = await testDaemon(t);
  const answer = await fetch(`${httpUrl}/ready`);
  assert.equal(answer.status, 200);
  assert.deepEqual(await answer.json(), { message: 'ready' });
});

test('`GET /rooms/:roomId` answers the capabilities while the room lives and 404 before and after', async (t) => {
  const { url, httpUrl } = await testDaemon(t);
  const address = `${httpUrl}/rooms/${encodeURIComponent('räum/1 %')}`;
  assert.equal((await problemOf(await fetch(address))).code, 'ROOM_NOT_FOUND');

  const alice = await SignalingClient.join(url, 'räum/1 %', 'alice');
  const bob = await SignalingClient.join(url, 'räum/1 %', 'bob');
  const answer = await fetch(address);
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('access-control-allow-origin'), '*');
  const body = (await answer.json()) as object;
  assert.deepEqual(Object.keys(body).sort(), ['codecs', 'headerExtensions']);
  const { codecs, headerExtensions } = rtpCapabilitiesSchema.parse(body);
  const mimeTypes = codecs.map(({ mimeType }) => mimeType);
  for (const mimeType of ['audio/opus', 'video/VP8', 'video/H264']) assert.ok(mimeTypes.includes(mimeType), mimeType);
  assert.ok(headerExtensions.length > 0);

  await alice.request('leaveRoom');
  await bob.notified('peerLeft');
  assert.equal((await fetch(address)).status, 200, 'bob is still there');
  await bob.request('leaveRoom');
  await bob.closed;
  const gone = await fetch(address);
  assert.equal(gone.status, 404);
  assert.equal((await problemOf(gone)).code, 'ROOM_NOT_FOUND');
});

test('`GET /rooms/:roomId` with an id that is not valid or not decodable answers 400', async (t) => {
  const { httpUrl } = await testDaemon(t);
  for (const path of ['/rooms/%ff', '/rooms/%', '/rooms/a%0Ab', `/rooms/${'x'.repeat(129)}`]) {
    const answer = await fetch(httpUrl + path);
    assert.equal(answer.status, 400, path);
    assert.equal((await problemOf(answer)).code, 'INVALID_REQUEST', path);
  }
});

test('another method than GET answers 405 and which ones there are', async (t) => {
  const { httpUrl } = await testDaemon(t);
  for (const path of ['/health', '/ready', '/rooms/room']) {
    const answer = await fetch(httpUrl + path, { method: 'POST' });
    assert.equal(answer.status, 405, path);
    assert.match(answer.headers.get('allow') ?? '', /\bGET\b/);
    assert.equal((await problemOf(answer)).code, 'METHOD_NOT_ALLOWED');
  }
});

test('a path that is not there answers 404', async (t) => {
  const { httpUrl } = await testDaemon(t);
  for (const path of ['/', '/rooms', '/rooms/a/b', '/nope']) {
    assert.equal((await problemOf(await fetch(httpUrl + path))).code, 'NOT_FOUND', path);
  }
});
