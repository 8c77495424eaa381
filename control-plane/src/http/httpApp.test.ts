import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { rtpCapabilities } from '../testing/TestDaemon.ts';
import { assignmentOf, DAEMON_KEY, problemOf, startTestBed, type TestBed } from '../testing/testControlPlane.ts';

/** A request whose path is sent as it is: fetch would tidy it up. */
const rawRequest = (base: string, path: string, method = 'GET') =>
  new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
    const { hostname, port } = new URL(base);
    request({ hostname, port, path, method }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode, body }));
    })
      .on('error', reject)
      .end();
  });

describe('the HTTP API', () => {
  let bed: TestBed;
  let pages: string;

  before(async () => {
    pages = await mkdtemp(join(tmpdir(), 'pages-'));
    await writeFile(join(pages, 'index.html'), '<title>demo</title>');
    await mkdir(join(pages, 'rooms'));
    await writeFile(join(pages, 'health'), 'a file must not hide a route');
    bed = await startTestBed({ staticDir: pages });
    await (await bed.daemon('daemon')).join(bed.url, DAEMON_KEY);
  });
  after(async () => {
    await bed.close();
    await rm(pages, { recursive: true });
  });

  test('GET /health answers exactly {"message":"ok"}', async () => {
    const answer = await fetch(`${bed.url}/health`);
    assert.equal(answer.status, 200);
    assert.match(answer.headers.get('content-type') ?? '', /^application\/json/);
    assert.equal(await answer.text(), '{"message":"ok"}');
  });

  test('GET /ready with a table that can be read answers 200', async () => {
    const answer = await fetch(`${bed.url}/ready`);
    assert.equal(answer.status, 200);
    assert.equal(await answer.text(), '{"message":"ready"}');
  });

  test('GET /rooms/:roomId of a room that lives answers its RTP capabilities and nothing else', async () => {
    await bed.assign('living');
    const answer = await fetch(`${bed.url}/rooms/living`);
    assert.equal(answer.status, 200);
    assert.deepEqual(await answer.json(), rtpCapabilities);
  });

  test('GET /rooms/:roomId of an unknown room answers 404 ROOM_NOT_FOUND and creates none', async () => {
    for (let time = 0; time < 2; time++) {
      const answer = await fetch(`${bed.url}/rooms/nobody`);
      assert.deepEqual(await problemOf(answer), { status: 404, code: 'ROOM_NOT_FOUND' });
    }
  });

  test('GET /rooms/:roomId of a room whose daemon has ended, was replaced or is lost answers 404', async () => {
    const daemon = await bed.daemon('leaving');
    await daemon.join(bed.url, DAEMON_KEY);
    const isThere = async () => (await fetch(`${bed.url}/rooms/leaving`)).status;
    await daemon.claim(bed.url, 'leaving');
    assert.equal(await isThere(), 200);

    const row = await bed.daemons.find('leaving');
    assert.ok(row);
    assert.ok(await bed.daemons.markLost(row));
    assert.equal(await isThere(), 404);

    daemon.incarnation = 'second';
    await daemon.join(bed.url, DAEMON_KEY);
    assert.equal(await isThere(), 404);
    await daemon.claim(bed.url, 'leaving');
    assert.equal(await isThere(), 200);

    assert.equal((await daemon.deregister(bed.url)).status, 204);
    assert.equal(await isThere(), 404);
  });

  const LONG = 'x'.repeat(129);
  for (const [what, path, field] of [
    ['a control character', '/rooms/a%00b', 'roomId'],
    ['129 bytes', `/rooms/${LONG}`, 'roomId'],
    ['129 bytes in 43 characters', `/rooms/${encodeURIComponent('€'.repeat(43))}`, 'roomId'],
    ['a dot', '/rooms/%2e', 'roomId'],
    ['two dots', '/rooms/..', 'roomId'],
    ['half an escape', '/rooms/%E0%A4%A', 'roomId'],
    ['what is not UTF-8', '/rooms/%ff', 'roomId'],
  ] as const) {
    test(`a room id with ${what} answers 400 that names it`, async () => {
      const { status, body } = await rawRequest(bed.url, path);
      assert.equal(status, 400);
      const problem = JSON.parse(body);
      assert.equal(problem.code, 'INVALID_REQUEST');
      assert.match(problem.detail, new RegExp(field));
    });
  }

  test('an id of 128 bytes, of other scripts or with a slash is an id like any other', async () => {
    for (const roomId of ['x'.repeat(128), '会議 🎥', 'a/b?c#d', '%2e']) {
      assert.equal((await bed.assign(roomId)).status, 201, roomId);
      assert.equal((await fetch(`${bed.url}/rooms/${encodeURIComponent(roomId)}`)).status, 200, roomId);
    }
  });

  const post = (body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
    fetch(`${bed.url}/rooms/room/assignments`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    });

  for (const [what, body, detail] of [
    ['no peerId', '{}', /peerId/],
    ['an empty peerId', '{"peerId":""}', /peerId/],
    ['a peerId that is no text', '{"peerId":7}', /peerId/],
    ['a peerId with a control character', '{"peerId":"a\\u0007"}', /peerId/],
    ['a wrong region', '{"peerId":"p","region":""}', /region/],
    ['a member that nobody knows', '{"peerId":"p","colour":"red"}', /colour/],
    ['a list', '[]', /body/],
    ['null', 'null', /./],
    ['what is not JSON', '{"peerId"', /./],
    ['nothing', '', /./],
  ] as const) {
    test(`POST /rooms/:roomId/assignments with ${what} answers 400 INVALID_REQUEST`, async () => {
      const problem = await problemOf(await post(body));
      assert.deepEqual([problem.status, problem.code], [400, 'INVALID_REQUEST']);
      assert.match(problem.detail ?? '', detail);
    });
  }

  test('a body over 64 KiB answers 413, one that is not JSON 415', async () => {
    const large = await post(JSON.stringify({ peerId: 'p', region: 'x'.repeat(65 * 1024) }));
    assert.equal((await problemOf(large)).code, 'PAYLOAD_TOO_LARGE');
    assert.equal((await problemOf(await post('peerId=p', { 'content-type': 'text/plain' }))).status, 415);
    assert.equal((await problemOf(await post('{}', { 'content-encoding': 'nonsense' }))).status, 415);
  });

  for (const [method, path, allow] of [
    ['POST', '/health', 'GET, HEAD'],
    ['DELETE', '/ready', 'GET, HEAD'],
    ['PUT', '/rooms/room', 'GET, HEAD'],
    ['POST', '/rooms', 'GET, HEAD'],
    ['DELETE', '/rooms/room/instances', 'GET, HEAD'],
    ['POST', '/daemons', 'GET, HEAD'],
    ['GET', '/rooms/room/assignments', 'POST'],
    ['POST', '/.well-known/jwks.json', 'GET, HEAD'],
    ['GET', '/daemons/d/registrations', 'POST'],
    ['GET', '/daemons/d/heartbeats', 'POST'],
    ['GET', '/daemons/d', 'DELETE'],
    ['POST', '/daemons/d/rooms/r', 'PUT'],
  ] as const) {
    test(`${method} ${path} answers 405 and names the methods that there are`, async () => {
      const answer = await fetch(bed.url + path, { method });
      assert.equal(answer.headers.get('allow'), allow);
      assert.equal((await problemOf(answer)).code, 'METHOD_NOT_ALLOWED');
    });
  }

  test('a path that is no route answers 404 as a problem', async () => {
    for (const path of [
      '/nothing',
      '/rooms/',
      '/daemons/',
      '/health/',
      '/Health',
      '/rooms/a/b',
      '/.git/config',
      '/../app.ts',
    ]) {
      const { status, body } = await rawRequest(bed.url, path);
      assert.deepEqual([status, JSON.parse(body).code], [404, 'NOT_FOUND'], path);
    }
  });

  test('every answer forbids frames and scripts, and the web page all scripts but its own', async () => {
    for (const path of ['/health', '/rooms/none', '/openapi.json', '/nothing', '/']) {
      const { headers } = await fetch(`${bed.url}${path}`);
      assert.equal(headers.get('x-frame-options'), 'DENY', path);
      assert.equal(headers.get('x-content-type-options'), 'nosniff', path);
      const policy = headers.get('content-security-policy') ?? '';
      assert.match(policy, /^default-src 'none';.* frame-ancestors 'none'$/, path);
      assert.equal(policy.includes("script-src 'self'"), path === '/', path);
    }
    const own = await bed.another({ staticSecurityPolicy: "default-src 'self'" });
    assert.equal((await fetch(own.url)).headers.get('content-security-policy'), "default-src 'self'");
  });

  test('the web page is served at / and hides no route', async () => {
    assert.equal(await (await fetch(bed.url)).text(), '<title>demo</title>');
    assert.equal(await (await fetch(`${bed.url}/?room=a`)).text(), '<title>demo</title>');
    assert.equal(await (await fetch(`${bed.url}/health`)).text(), '{"message":"ok"}');
    const without = await bed.another({ staticDir: undefined });
    assert.equal((await problemOf(await fetch(without.url))).status, 404);
  });

  test('pages of every origin may use the API by default, and only of the listed ones else', async () => {
    const preflight = (base: string, origin: string) =>
      fetch(`${base}/rooms/r/assignments`, {
        method: 'OPTIONS',
        headers: {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'authorization,content-type',
        },
      });
    const allowed = async (base: string, origin: string) =>
      (await preflight(base, origin)).headers.get('access-control-allow-origin');
    const answer = await preflight(bed.url, 'https://a.example');
    assert.equal(answer.status, 204);
    const headers = answer.headers.get('access-control-allow-headers')?.toLowerCase().split(/, */);
    assert.deepEqual(headers, ['authorization', 'content-type']);
    assert.match(answer.headers.get('access-control-allow-methods') ?? '', /POST/);
    assert.equal(answer.headers.get('access-control-allow-origin'), '*');

    const strict = await bed.another({ corsOrigins: ['https://a.example'] });
    assert.equal(await allowed(strict.url, 'https://a.example'), 'https://a.example');
    assert.equal(await allowed(strict.url, 'https://b.example'), null);
    const error = await fetch(`${strict.url}/rooms/nobody`, { headers: { origin: 'https://a.example' } });
    assert.equal(error.headers.get('access-control-allow-origin'), 'https://a.example');
  });

  test('the metrics count by route, never by id', async () => {
    await assignmentOf(await bed.assign('counted-room'));
    await fetch(`${bed.url}/no/such/path`);
    const metricsUrl = `http://127.0.0.1:${bed.controlPlane.metricsPort}/metrics`;
    const text = await (await fetch(metricsUrl)).text();
    assert.match(
      text,
      /control_plane_http_requests_total\{route="\/rooms\/:roomId\/assignments",method="POST",status="201"\} [1-9]/,
    );
    assert.match(text, /control_plane_assignment_seconds_count [1-9]/);
    assert.match(text, /control_plane_http_request_seconds_count\{route="none",method="GET"\} [1-9]/);
    assert.match(text, /control_plane_table_seconds_count\{table="rooms",operation="put"\} [1-9]/);
    assert.match(text, /control_plane_table_operations_total\{table="rooms",operation="put",outcome="ok"\} [1-9]/);
    assert.doesNotMatch(text, /counted-room|no\/such/);
  });
});

describe('the HTTP API without its store', () => {
  let bed: TestBed;
  before(async () => {
    bed = await startTestBed();
    await bed.stopStore();
  });
  after(() => bed.close());

  test('/health answers 200 and everything that reads a table 503 UNAVAILABLE with Retry-After', async () => {
    assert.equal((await fetch(`${bed.url}/health`)).status, 200);
    assert.equal((await fetch(`${bed.url}/.well-known/jwks.json`)).status, 200);
    const daemon = await bed.daemon('daemon');
    daemon.secret = `ZGVmYXVsdA.${'x'.repeat(43)}`;
    for (const answer of [
      await fetch(`${bed.url}/ready`),
      await fetch(`${bed.url}/rooms/room`),
      await fetch(`${bed.url}/rooms`),
      await fetch(`${bed.url}/rooms/room/instances`),
      await fetch(`${bed.url}/daemons`),
      await bed.assign('room'),
      await daemon.register(bed.url, DAEMON_KEY),
      await daemon.heartbeat(bed.url),
      await daemon.claim(bed.url, 'room'),
      await daemon.deregister(bed.url),
    ]) {
      assert.equal(answer.headers.get('retry-after'), '1', answer.url);
      assert.equal((await problemOf(answer)).code, 'UNAVAILABLE', answer.url);
    }
  });
});
