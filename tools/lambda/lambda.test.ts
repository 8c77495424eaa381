import assert from 'node:assert/strict';
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { operations } from '../../control-plane/src/http/operations.ts';
import { gatewayEvent } from '../../control-plane/src/testing/gatewayEvent.ts';
import { DAEMON_KEY, startTestBed, type TestBed } from '../../control-plane/src/testing/testControlPlane.ts';
import { bundleLambda } from './bundleLambda.ts';

type Asked = {
  readonly body?: unknown;
  readonly bearer?: string;
  readonly type?: string;
  readonly headers?: Record<string, string>;
  /** Fields of the event alone: whether the gateway encodes the body in base64, and its stage. */
  readonly event?: { readonly binary?: boolean; readonly stage?: string };
};
type Answered = { readonly status: number; readonly headers: Record<string, string>; readonly body: unknown };

const runner = fileURLToPath(new URL('../../control-plane/src/testing/runLambda.ts', import.meta.url));

/** Replaces what differs between two answers: tokens, secrets, times and counts. */
const settled = (body: string): unknown =>
  JSON.parse(body || 'null', (name, value) =>
    /^(token|url|secret|now|assigned|headroom|epoch|expiresAt|heartbeatAt|updatedAt|cursor)$/.test(name) ? name : value,
  );

describe('the Lambda function', () => {
  let bed: TestBed;
  let folder: string;
  let environment: Record<string, string>;
  let lambda: ChildProcess;
  let logged = '';
  let started: { initMs: number; timers: number };

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
      CONTROL_PLANE_ALLOW_OPEN_BEYOND_LOOPBACK: 'true',
      CONTROL_PLANE_DYNAMODB_ENDPOINT: bed.dynamodbEndpoint,
      CONTROL_PLANE_DATA_DIR: bed.dataDir,
      CONTROL_PLANE_CLOUDWATCH_NAMESPACE: 'Namespace',
    };
    lambda = fork(runner, [join(folder, 'index.mjs'), 'timers'], {
      env: environment,
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    lambda.stdout?.setEncoding('utf8').on('data', (text: string) => {
      logged += text;
    });
    [started] = (await once(lambda, 'message')) as [typeof started];
  });
  after(async () => {
    lambda.kill('SIGKILL');
    await bed.close();
    await rm(folder, { recursive: true });
  });

  const headersOf = ({ bearer, type = 'application/json', headers = {} }: Asked): Record<string, string> => ({
    'content-type': type,
    'x-request-id': 'asked-by-the-test',
    ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
    ...headers,
  });
  const bodyOf = ({ body }: Asked) => (typeof body === 'string' || body === undefined ? body : JSON.stringify(body));
  /** Headers, without those of the connection and of rate limits. */
  const told = (headers: Iterable<[string, string]>) =>
    Object.fromEntries(
      [...headers].filter(([name]) => !/^(connection|keep-alive|date|content-length|ratelimit.*)$/.test(name)),
    );

  async function askLambda(method: string, path: string, asked: Asked): Promise<Answered> {
    const answered = once(lambda, 'message');
    lambda.send(gatewayEvent(method, path, { headers: headersOf(asked), body: bodyOf(asked), ...asked.event }));
    const [{ statusCode, headers, body, isBase64Encoded }] = await answered;
    assert.equal(isBase64Encoded, false);
    return { status: statusCode, headers: told(Object.entries(headers)), body: settled(body) };
  }

  async function askProcess(method: string, path: string, asked: Asked): Promise<Answered> {
    const body = bodyOf(asked);
    const init = { method, headers: headersOf(asked), ...(body !== undefined && { body }) };
    const answer = await fetch(bed.url + path, init);
    return { status: answer.status, headers: told(answer.headers), body: settled(await answer.text()) };
  }

  /** On a busy machine the tables or a daemon may answer too late; the client is asked to retry. */
  async function served(ask: () => Promise<Answered>): Promise<Answered> {
    for (;;) {
      const answer = await ask();
      if (answer.status !== 503) return answer;
    }
  }

  test("answers each route as the process does, and logs a daemon's load in the format of CloudWatch metrics", async () => {
    const daemon = await bed.daemon('daemon');
    await daemon.join(bed.url, DAEMON_KEY);
    const { secret, incarnation } = daemon;
    const rtpCapabilitiesJson = JSON.stringify({ codecs: [], headerExtensions: [] });
    const heartbeat = { incarnation, state: 'DAEMON_STATE_READY', headroom: 100 };
    const preflight = { origin: 'https://page.example', 'access-control-request-method': 'POST' };
    const registration = { ...daemon.registration, url: 'wss://b.example.com', grpcAddress: '127.0.0.2:1' };
    const requests: [method: string, path: string, asked?: Asked][] = [
      ['GET', '/health'],
      ['HEAD', '/health'],
      ['GET', '/health', { headers: { cookie: 'a=1; b=2', origin: 'https://page.example' } }],
      ['GET', '/health', { event: { stage: 'v1' } }],
      ['GET', '/ready'],
      ['GET', '/openapi.json'],
      ['GET', '/.well-known/jwks.json'],
      ['POST', '/rooms/room/assignments', { body: { peerId: 'ä/&?' } }],
      ['POST', '/rooms/room/assignments', { body: {} }],
      ['POST', '/rooms/room/assignments', { body: '{' }],
      ['POST', '/rooms/room/assignments', { body: 'text', type: 'text/plain' }],
      ['POST', '/rooms/room/assignments', { body: { peerId: 'x'.repeat(65 * 1024) } }],
      ['POST', '/rooms/room/assignments', { body: { peerId: 'peer' }, event: { binary: true, stage: 'v1' } }],
      ['POST', '/rooms/a%2Fb%25/assignments', { body: { peerId: 'peer' } }],
      ['OPTIONS', '/rooms/room/assignments', { headers: preflight }],
      ['GET', '/rooms/room'],
      ['GET', '/rooms/a%2Fb%25'],
      ['GET', '/rooms/none'],
      ['GET', '/rooms/%00'],
      ['GET', '/rooms/a%2Fb%25/instances'],
      ['GET', '/rooms/none%23/instances'],
      ['GET', '/rooms/room/instances'],
      ['GET', '/rooms?limit=1'],
      ['GET', '/rooms?limit=0'],
      ['GET', '/rooms?limit=1&limit=2'],
      ['GET', '/rooms?cursor=a%26b%3D+%2B'],
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
      ['DELETE', '/daemons/daemon', { bearer: secret }],
    ];
    const asked = new Set<string>();
    for (const [method, path, what = {}] of requests) {
      const expected = await served(() => askProcess(method, path, what));
      assert.deepEqual(await served(() => askLambda(method, path, what)), expected, `${method} ${path}`);
      for (const [template, methods] of Object.entries(operations)) {
        const pattern = new RegExp(`^${template.replace(/\{\w+\}/g, '[^/]+')}$`);
        if (pattern.test(path.split('?')[0] ?? '') && methods[method.toLowerCase()]) asked.add(`${method} ${template}`);
      }
    }
    const routes = Object.entries(operations).flatMap(([template, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${template}`),
    );
    assert.deepEqual([...asked].sort(), routes.sort());
    // One request was a heartbeat, whose log line CloudWatch turns into a metric.
    while (!logged.includes('"daemon load"')) await once(lambda.stdout as Readable, 'data');
    const loads = logged.split('\n').filter((line) => line.includes('"daemon load"'));
    assert.deepEqual(
      loads
        .map((line) => JSON.parse(line))
        .map(({ _aws, DaemonLoad }) => [_aws.CloudWatchMetrics[0].Namespace, DaemonLoad]),
      [['Namespace', 0]],
    );
  });

  test('is under a megabyte compressed, starts without gRPC, embedded store and timers, and logs how long the start took', async (t) => {
    const { compressed, modules } = await bundleLambda(folder);
    t.diagnostic(`${Math.round(compressed / 1024)} KiB compressed, ${Math.round(started.initMs)} ms to start`);
    assert.ok(compressed < 1024 * 1024, `${compressed} bytes`);
    const inputs = modules.atStart.join('\n');
    assert.match(inputs, /control-plane\/src\/app\.ts$/m);
    assert.doesNotMatch(inputs, /\/(grpc-js|dynalite|protobufjs)\/|daemon_pb|embeddedDynamo|createTables/);
    assert.equal(started.timers, 0);
  });

  test('refuses to start with an invalid setting, and names it', async () => {
    for (const [wrong, named] of [
      [{ CONTROL_PLANE_STORE: 'embedded', CONTROL_PLANE_DYNAMODB_ENDPOINT: '' }, 'CONTROL_PLANE_STORE'],
      [{ CONTROL_PLANE_MODE: 'closed' }, 'CONTROL_PLANE_MODE'],
      [{ CONTROL_PLANE_ALLOW_OPEN_BEYOND_LOOPBACK: 'false' }, 'CONTROL_PLANE_MODE'],
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
