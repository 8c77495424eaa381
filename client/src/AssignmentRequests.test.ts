import assert from 'node:assert/strict';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { AssignmentRequests } from './AssignmentRequests.ts';

const never = new AbortController().signal;
const alice = { peerId: 'alice' };

/** A control plane of which the test writes the answers, and requests to it. The clock is the test's. */
async function start(t: TestContext) {
  t.mock.timers.enable({ apis: ['Date'] });
  const asked: { readonly body: unknown; readonly response: ServerResponse }[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    asked.push({ body: JSON.parse(Buffer.concat(chunks).toString()), response });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const requests = new AssignmentRequests({
    controlPlaneUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    roomId: 'room',
  });
  t.after(() => {
    requests.close();
    server.closeAllConnections();
    server.close();
  });
  /** Waits for a request, the first of which is 0. */
  const request = async (index: number) => {
    for (let tries = 0; tries < 6_000; tries++) {
      const one = asked[index];
      if (one) return one;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error(`Waited for request ${index}, got ${asked.length} requests`);
  };
  return { asked, requests, request };
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

const url = (daemon: string) => ({ url: `ws://${daemon}` });

test('an attempt that follows an aborted one waits for the answer to its request', async (t) => {
  const { asked, requests, request } = await start(t);
  const attempt = new AbortController();
  const first = requests.request(alice, attempt.signal);
  const { response } = await request(0);
  attempt.abort();
  await assert.rejects(first, { code: 'CONTROL_PLANE_UNREACHABLE' });
  const second = requests.request(alice, never);
  answer(response, 200, url('a'));
  assert.deepEqual(await second, url('a'));
  assert.equal(asked.length, 1);
});

test('a request without an answer is repeated after 4 s, 20 s and 84 s, and the first answer counts', async (t) => {
  const { asked, requests, request } = await start(t);
  const results: Promise<unknown>[] = [];
  for (let second = 0; second < 85; second++) {
    results.push(requests.request(alice, never).catch((error) => error.code));
    t.mock.timers.tick(1_000);
  }
  await request(3);
  const { response } = await request(1);
  answer(response, 200, url('b'));
  const [first, ...others] = await Promise.all(results);
  assert.deepEqual(first, url('b'));
  assert.deepEqual(new Set(others), new Set(['CONNECTION_LOST']));
  assert.equal(asked.length, 4);
});

test('a request with another body is sent at once, and its answer ends the others', async (t) => {
  const { requests, request } = await start(t);
  const suspecting = requests.request({ ...alice, failedDaemonId: 'a' }, never);
  const { response: hanging } = await request(0);
  const isAborted = new Promise((resolve) => hanging.once('close', resolve));
  const trusting = requests.request(alice, never);
  const { body, response } = await request(1);
  assert.deepEqual(body, alice);
  answer(response, 200, url('a'));
  assert.deepEqual(await trusting, url('a'));
  await assert.rejects(suspecting, { code: 'CONNECTION_LOST' });
  await isAborted;
});

test('a refusal reaches one attempt; that of a request of more than 10 s ago counts as no answer', async (t) => {
  const { requests, request } = await start(t);
  const prompt = requests.request(alice, never);
  answer((await request(0)).response, 401, { code: 'TOKEN_INVALID' });
  await assert.rejects(prompt, { code: 'REFUSED', status: 401 });
  const late = requests.request(alice, never);
  const { response } = await request(1);
  t.mock.timers.tick(10_001);
  answer(response, 401, { code: 'TOKEN_INVALID' });
  await assert.rejects(late, { code: 'CONTROL_PLANE_UNREACHABLE', status: undefined });
});

test('a lost connection fails an attempt only where no other request is open', async (t) => {
  const { requests, request } = await start(t);
  const first = requests.request(alice, never);
  const { response } = await request(0);
  t.mock.timers.tick(4_000);
  const second = requests.request(alice, never);
  const { response: other } = await request(1);
  let hasFailed = false;
  for (const attempt of [first, second]) attempt.catch(() => (hasFailed = true));
  response.destroy();
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(hasFailed, false);
  other.destroy();
  for (const attempt of [first, second]) await assert.rejects(attempt, { code: 'CONTROL_PLANE_UNREACHABLE' });
  const third = requests.request(alice, never);
  answer((await request(2)).response, 200, url('c'));
  assert.deepEqual(await third, url('c'));
});

test('leaving aborts requests that no attempt waits for', async (t) => {
  const { requests, request } = await start(t);
  const attempt = new AbortController();
  const first = requests.request(alice, attempt.signal);
  const { response } = await request(0);
  attempt.abort();
  await assert.rejects(first);
  const isAborted = new Promise((resolve) => response.once('close', resolve));
  requests.close();
  await isAborted;
});
