import assert from 'node:assert/strict';
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { bundleLambda } from './bundleLambda.ts';
import { operations } from './http/operations.ts';
import { DAEMON_KEY, startTestBed, type TestBed } from './testing/testControlPlane.ts';

type Asked = { readonly body?: unknown; readonly bearer?: string; readonly type?: string };
type Answered = { readonly status: number; readonly type: string | null; readonly body: unknown };

const runner = fileURLToPath(new URL('testing/runLambda.ts', import.meta.url));

/** An event of an API Gateway HTTP API, payload format 2.0, as AWS documents it. */
function eventOf(method: string, path: string, headers: Record<string, string>, body: string | undefined) {
  const [rawPath = '', rawQueryString = ''] = path.split('?');
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath,
    rawQueryString,
    headers: { host: 'id.execute-api.us-east-1.amazonaws.com', 'x-forwarded-for': '192.0.2.1', ...headers },
    requestContext: {
      accountId: '123456789012',
      apiId: 'api-id',
      domainName: 'id.execute-api.us-east-1.amazonaws.com',
      domainPrefix: 'id',
      http: { method, path: rawPath, protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'agent' },
      requestId: 'id',
      routeKey: '$default',
      stage: '$default',
      time: '12/Mar/2026:19:03:58 +0000',
      timeEpoch: 1773342238000,
    },
    ...(body !== undefined && { body }),
    isBase64Encoded: false,
  };
}

/** Hides what differs from one answer to the next: tokens, secrets, times and counts. */
const settled = (body: string): unknown =>
  JSON.parse(body || 'null', (name, value) =>
    /^(token|url|secret|now|assigned|headroom|epoch|expiresAt|heartbeatAt|updatedAt|cursor)$/.test(name) ? name : value,
  );

describe('the Lambda function', () => {
  let bed: TestBed;
  let folder: string;
  let environment: Record<string, string>;
  let lambda: ChildProcess;
  let initMs: number;

  before(async () => {
    bed = await startTestBed();
    folder = await mkdtemp(join(tmpdir(), 'lambda-'));
    await bundleLambda(folder);
    environment = {
      PATH: String(process.env.PATH),
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      CONTROL_PLANE_DAEMON_KEY: DAEMON_KEY,
      CONTROL_PLANE_STORE: 'dynamodb',
      CONTROL_PLANE_DYNAMODB_ENDPOINT: bed.dynamodbEndpoint,
      CONTROL_PLANE_DATA_DIR: bed.dataDir,
      CONTROL_PLANE_LOG_LEVEL: 'silent',
    };
    lambda = fork(runner, [join(folder, 'index.mjs')], { env: environment });
    [{ initMs }] = (await once(lambda, 'message')) as [{ initMs: number }];
  });
  after(async () => {
    lambda.kill('SIGKILL');
    await bed.close();
    await rm(folder, { recursive: true });
  });

  const headersOf = ({ bearer, type = 'application/json' }: Asked): Record<string, string> => ({
    'content-type': type,
    ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
  });
  const bodyOf = ({ body }: Asked) => (typeof body === 'string' || body === undefined ? body : JSON.stringify(body));

  async function askLambda(method: string, path: string, asked: Asked): Promise<Answered> {
    const answered = once(lambda, 'message');
    lambda.send(eventOf(method, path, headersOf(asked), bodyOf(asked)));
    const [{ statusCode, headers, body }] = await answered;
    return { status: statusCode, type: headers['content-type'] ?? null, body: settled(body) };
  }

  async function askProcess(method: string, path: string, asked: Asked): Promise<Answered> {
    const body = bodyOf(asked);
    const init = { method, headers: headersOf(asked), ...(body !== undefined && { body }) };
    const answer = await fetch(bed.url + path, init);
    return { status: answer.status, type: answer.headers.get('content-type'), body: settled(await answer.text()) };
  }

  test('answers every route as the process does', async () => {
    const daemon = await bed.daemon('daemon');
    await daemon.join(bed.url, DAEMON_KEY);
    const { secret, incarnation } = daemon;
    const rtpCapabilitiesJson = JSON.stringify({ codecs: [], headerExtensions: [] });
    const heartbeat = { incarnation, state: 'DAEMON_STATE_READY', headroom: 100 };
    const registration = { ...daemon.registration, url: 'wss://b.example.com', grpcAddress: 'b.example.com:1' };
    const requests: [method: string, path: string, asked?: Asked][] = [
      ['GET', '/health'],
      ['GET', '/ready'],
      ['GET', '/openapi.json'],
      ['GET', '/.well-known/jwks.json'],
      ['POST', '/rooms/room/assignments', { body: { peerId: 'ä/&?' } }],
      ['POST', '/rooms/room/assignments', { body: {} }],
      ['POST', '/rooms/room/assignments', { body: '{' }],
      ['POST', '/rooms/room/assignments', { body: 'text', type: 'text/plain' }],
      ['POST', '/rooms/room/assignments', { body: { peerId: 'x'.repeat(65 * 1024) } }],
      ['GET', '/rooms/room'],
      ['GET', '/rooms/none'],
      ['GET', '/rooms/%00'],
      ['GET', '/rooms/%E4'],
      ['GET', '/rooms/a%2Fb/instances'],
      ['GET', '/rooms/room/instances'],
      ['GET', '/rooms?limit=1'],
      ['GET', '/rooms?limit=0'],
      ['GET', '/daemons'],
      ['PUT', '/daemons'],
      ['GET', '/nope'],
      ['POST', '/command-tokens', { body: { scopes: ['rooms:read'] } }],
      ['POST', '/daemons/other/registrations', { body: registration }],
      ['POST', '/daemons/other/registrations', { body: registration, bearer: DAEMON_KEY }],
      ['POST', '/daemons/daemon/heartbeats', { body: heartbeat, bearer: secret }],
      ['POST', '/daemons/daemon/heartbeats', { body: heartbeat, bearer: 'wrong' }],
      ['POST', '/daemons/daemon/rooms', { body: { incarnation, rooms: [], rtpCapabilitiesJson }, bearer: secret }],
      ['PUT', '/daemons/daemon/rooms/claimed', { body: { incarnation, rtpCapabilitiesJson }, bearer: secret }],
      ['DELETE', '/daemons/daemon', { bearer: 'wrong' }],
    ];
    const asked = new Set<string>();
    for (const [method, path, what = {}] of requests) {
      const expected = await askProcess(method, path, what);
      assert.deepEqual(await askLambda(method, path, what), expected, `${method} ${path}`);
      for (const [template, methods] of Object.entries(operations)) {
        const pattern = new RegExp(`^${template.replace(/\{\w+\}/g, '[^/]+')}$`);
        if (pattern.test(path.split('?')[0] ?? '') && methods[method.toLowerCase()]) asked.add(`${method} ${template}`);
      }
    }
    const routes = Object.entries(operations).flatMap(([template, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${template}`),
    );
    assert.deepEqual([...asked].sort(), routes.sort());
  });

  test('loads no embedded store, and tells how big it is and how long it takes to start', async (t) => {
    const files = [...(await bundleLambda(folder)).keys()];
    const contents = await Promise.all(files.map((file) => readFile(join(folder, file))));
    const zipped = gzipSync(Buffer.concat(contents)).length;
    t.diagnostic(`${Math.round(zipped / 1024)} KiB compressed, ${Math.round(initMs)} ms to start`);
    const entry = contents[files.indexOf('index.mjs')]?.toString() ?? '';
    assert.ok(!/import\s*["']dynalite|from\s*["']dynalite/.test(entry));
  });

  test('does not start with a setting that is wrong, and names it', async () => {
    for (const [wrong, named] of [
      [{ CONTROL_PLANE_STORE: 'embedded', CONTROL_PLANE_DYNAMODB_ENDPOINT: '' }, 'CONTROL_PLANE_STORE'],
      [{ CONTROL_PLANE_MODE: 'closed' }, 'CONTROL_PLANE_MODE'],
    ] as const) {
      const child = spawn(process.execPath, [runner, join(folder, 'index.mjs')], {
        env: { ...environment, ...wrong },
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      const said = text(child.stderr);
      const [code] = await once(child, 'exit');
      assert.notEqual(code, 0);
      assert.match(await said, new RegExp(named));
    }
  });
});
