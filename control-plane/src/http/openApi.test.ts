import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { problemCodes } from '@mediasoup-server/proto/http';
import { Validator } from '@seriousme/openapi-schema-validator';
import type { Express } from 'express';
import { SignJWT } from 'jose';
import { DaemonClient } from '../daemons/DaemonClient.ts';
import { FleetCache } from '../directory/FleetCache.ts';
import { createMetrics } from '../metrics.ts';
import { ApiContract, type ApiDocument } from '../testing/ApiContract.ts';
import { DAEMON_KEY, logger, startTestBed, type TestBed } from '../testing/testControlPlane.ts';
import { AssignmentKeys } from '../tokens/AssignmentKeys.ts';
import { Authorization } from './Authorization.ts';
import { daemonRoutes } from './daemonRoutes.ts';
import { createHttpApp } from './httpApp.ts';

describe('the OpenAPI document', () => {
  let bed: TestBed;
  let document: ApiDocument & Record<string, unknown>;

  before(async () => {
    bed = await startTestBed();
    document = (await (await fetch(`${bed.url}/openapi.json`)).json()) as typeof document;
  });
  after(() => bed.close());

  test('is valid OpenAPI 3.1 and equals proto/openapi.json', async () => {
    const validator = new Validator();
    const { valid, errors } = await validator.validate(structuredClone(document));
    assert.ok(valid, JSON.stringify(errors));
    assert.equal(validator.version, '3.1');
    const file = new URL('../../../proto/openapi.json', import.meta.url);
    assert.deepEqual(document, JSON.parse(await readFile(file, 'utf8')));
  });

  test('has no dangling reference, and uses every code and every security scheme', () => {
    const text = JSON.stringify(document);
    for (const [, path = ''] of text.matchAll(/"\$ref":"#\/([^"]+)"/g)) {
      const found = path.split('/').reduce<unknown>((at, name) => (at as Record<string, unknown>)?.[name], document);
      assert.equal(typeof found, 'object', path);
    }
    const { responses } = document.components as { responses: object };
    const told = JSON.stringify([document.info, responses]);
    for (const code of problemCodes) assert.ok(told.includes(`\`${code}\``), code);
    const { securitySchemes } = document.components as { securitySchemes: Record<string, unknown> };
    for (const scheme of Object.keys(securitySchemes)) {
      assert.ok(JSON.stringify(document.paths).includes(`"${scheme}":[]`), scheme);
    }
  });

  test('has every route of the app, and no other', async () => {
    const keys = await AssignmentKeys.load({ dataDir: bed.dataDir });
    const client = new DaemonClient({
      needsTokens: false,
      sign: (command) => keys.signOwnCommand(command),
    });
    const metrics = createMetrics();
    const parts = {
      directory: {
        rooms: bed.rooms,
        daemons: bed.daemons,
        fleet: new FleetCache(bed.daemons),
        client,
        suspectAfterMs: 1,
        ice: { iceServers: [] },
        metrics,
        logger,
      },
      keys,
      authorization: new Authorization(undefined),
      metrics,
      fleet: { daemonKey: DAEMON_KEY, heartbeatIntervalMs: 1 },
      limits: { wrongKeysPerMinute: 1, assignmentsPerMinute: 1, requestsPerMinute: 1 },
      http: { trustedProxies: [], corsOrigins: [], staticDir: undefined, staticSecurityPolicy: '' },
      daemonTls: { daemonTls: false, allowPlainDaemonsBeyondLoopback: false },
    };
    // Those of daemons are loaded once they are asked for.
    const routers = [createHttpApp(parts).router, daemonRoutes(parts)];
    await client.close();
    const routes = routers.flatMap(({ stack }) => [...routesOf(stack)]);
    assert.deepEqual([...routes].sort(), new ApiContract(document).operations.sort());
  });

  test('every answer that it has is one that a control plane gives, and in that form', async () => {
    const contract = new ApiContract(document);
    await giveEveryAnswer(bed, contract);
    const missing = contract.documented.filter((answer) => !contract.seen.has(answer));
    assert.deepEqual(missing, []);
  });
});

type Layer = Express['router']['stack'][number];

/** `GET /rooms/{roomId}` for each route of an Express app. */
function routesOf(layers: readonly Layer[]): Set<string> {
  const routes = layers.flatMap(({ route, handle }) => {
    if (!route) return [...routesOf((handle as { stack?: Layer[] }).stack ?? [])];
    const path = route.path.replace(/:(\w+)/g, '{$1}');
    // What takes all methods answers 405.
    const methods = (route.stack as Layer[]).flatMap(({ method }) => method ?? []);
    return methods.map((method) => `${method.toUpperCase()} ${path}`);
  });
  return new Set(routes);
}

const JSON_TYPE = { 'content-type': 'application/json' };

/** Asks so that each operation gives each of its answers. */
async function giveEveryAnswer(bed: TestBed, contract: ApiContract): Promise<void> {
  const ask = async (base: string, operation: string, init: RequestInit = {}) => {
    const [method = '', path = ''] = operation.split(' ');
    const answer = await fetch(base + path, { method, ...init });
    await contract.check(method, answer);
  };
  const assign = (base: string, room: string, body: unknown = { peerId: 'peer' }, headers = JSON_TYPE) =>
    ask(base, `POST /rooms/${room}/assignments`, { body: JSON.stringify(body), headers });

  const askToken = (base: string, body: unknown = {}, headers: Record<string, string> = JSON_TYPE) =>
    ask(base, 'POST /command-tokens', { body: JSON.stringify(body), headers });

  await askToken(bed.url);
  await askToken(bed.url, { scopes: ['everything'] });
  await askToken(bed.url, { roomId: 'x'.repeat(65 * 1024) });
  await askToken(bed.url, {}, { 'content-type': 'text/plain' });
  for (const path of ['/health', '/ready', '/openapi.json', '/.well-known/jwks.json'])
    await ask(bed.url, `GET ${path}`);

  await assign(bed.url, 'room');
  const daemon = await bed.daemon('daemon');
  await contract.check('POST', await daemon.register(bed.url, DAEMON_KEY));
  await contract.check('POST', await daemon.register(bed.url, 'a wrong key'));
  const second = await bed.daemon('daemon');
  await contract.check('POST', await second.register(bed.url, DAEMON_KEY));
  await daemon.join(bed.url, DAEMON_KEY);
  await contract.check('POST', await daemon.heartbeat(bed.url));
  await assign(bed.url, 'room');
  await contract.check('PUT', await daemon.claim(bed.url, 'claimed'));
  await contract.check('POST', await daemon.report(bed.url, []));
  await contract.check('POST', await daemon.heartbeat(bed.url, { headroom: 0 }));
  await contract.check('POST', await bed.assign('room', { peerId: 'another' }));
  for (const path of [
    '/rooms',
    '/daemons',
    '/rooms?limit=1',
    '/daemons?limit=1',
    '/rooms/room',
    '/rooms/room/instances',
  ]) {
    await ask(bed.url, `GET ${path}`);
  }
  for (const path of ['/rooms/nobody', '/rooms/nobody/instances', '/rooms/%00', '/rooms/%00/instances']) {
    await ask(bed.url, `GET ${path}`);
  }
  for (const path of ['/rooms', '/daemons']) await ask(bed.url, `GET ${path}?limit=0`);
  await assign(bed.url, 'room', {});

  const asDaemon = { ...JSON_TYPE, authorization: `Bearer ${daemon.secret}` };
  const withKey = { ...JSON_TYPE, authorization: `Bearer ${DAEMON_KEY}` };
  const large = { peerId: 'x'.repeat(65 * 1024) };
  await assign(bed.url, 'room', large);
  await assign(bed.url, 'room', {}, { 'content-type': 'text/plain' });
  for (const [operation, headers] of [
    ['POST /daemons/daemon/registrations', withKey],
    ['POST /daemons/daemon/heartbeats', asDaemon],
    ['POST /daemons/daemon/rooms', asDaemon],
    ['PUT /daemons/daemon/rooms/room', asDaemon],
  ] as const) {
    await ask(bed.url, operation, { body: '[]', headers });
    await ask(bed.url, operation, { body: JSON.stringify(large), headers });
    await ask(bed.url, operation, { body: 'text', headers: { ...headers, 'content-type': 'text/plain' } });
  }
  await ask(bed.url, 'DELETE /daemons/%00', { headers: asDaemon });

  const stranger = await bed.daemon('daemon');
  Object.assign(stranger, { incarnation: daemon.incarnation, secret: `ZGVmYXVsdA.${'x'.repeat(43)}` });
  const answersTo = async (who: typeof daemon, base: string) => {
    await contract.check('POST', await who.heartbeat(base));
    await contract.check('PUT', await who.claim(base, 'room'));
    await contract.check('POST', await who.report(base, []));
    await contract.check('DELETE', await who.deregister(base));
  };
  await answersTo(stranger, bed.url);
  await contract.check('DELETE', await daemon.deregister(bed.url));
  await answersTo(daemon, bed.url);

  const strict = { requestsPerMinute: 1, wrongKeysPerMinute: 1 };
  const limited = await bed.another(strict);
  await contract.check('GET', await fetch(`${limited.url}/rooms`));
  for (const path of ['/rooms', '/daemons', '/rooms/room', '/rooms/room/instances'])
    await ask(limited.url, `GET ${path}`);
  await assign(limited.url, 'room');
  await askToken(limited.url);
  for (let time = 0; time < 2; time++)
    await contract.check('POST', await stranger.register(limited.url, 'a wrong key'));
  await answersTo(stranger, limited.url);

  const keyless = await bed.another({ mode: 'jwt', accessTokenJwksUrl: 'http://127.0.0.1:1/', corsOrigins: [] });
  const unknownKey = await new SignJWT({})
    .setProtectedHeader({ alg: 'EdDSA', typ: 'access+jwt', kid: 'unknown' })
    .sign(generateKeyPairSync('ed25519').privateKey);
  await askToken(keyless.url, {}, { ...JSON_TYPE, authorization: `Bearer ${unknownKey}` });

  const secret = 'a secret of the tests that is long enough';
  const strictest = await bed.another({ mode: 'jwt', accessTokenSecret: secret, corsOrigins: [] });
  const ofNobody = await new SignJWT({ sub: 'nobody', room: 'nowhere', grants: {}, aud: 'mediasoup-server' })
    .setProtectedHeader({ alg: 'HS256', typ: 'access+jwt' })
    .setExpirationTime('1 minute')
    .sign(new TextEncoder().encode(secret));
  for (const headers of [{}, { authorization: `Bearer ${ofNobody}` }]) {
    await askToken(strictest.url, {}, { ...JSON_TYPE, ...headers });
    for (const path of ['/rooms', '/daemons', '/rooms/room', '/rooms/room/instances'])
      await ask(strictest.url, `GET ${path}`, { headers });
    await assign(strictest.url, 'room', { peerId: 'peer' }, { ...JSON_TYPE, ...headers });
  }

  await bed.stopStore();
  for (const path of ['/ready', '/rooms', '/daemons', '/rooms/room', '/rooms/room/instances']) {
    await ask(bed.url, `GET ${path}`);
  }
  await assign(bed.url, 'room');
  await contract.check('POST', await daemon.register(bed.url, DAEMON_KEY));
  await answersTo(daemon, bed.url);
}
