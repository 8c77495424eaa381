import assert from 'node:assert/strict';
import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { decodeJwt, SignJWT } from 'jose';
import type { SettingOverrides } from '../testing/overrideSettings.ts';
import { assignmentOf, DAEMON_KEY, problemOf, startTestBed, type TestBed } from '../testing/testControlPlane.ts';

const SECRET = 'a secret of the tests that is long enough';
const all = { publish: true, subscribe: true, data: true, admin: false };
const none = { publish: false, subscribe: false, data: false, admin: false };

type Change = {
  readonly claims?: Record<string, unknown>;
  readonly typ?: string;
  readonly alg?: string;
  readonly kid?: string;
  readonly expiresIn?: number;
  readonly key?: Uint8Array | KeyObject;
};

/** A token for alice in the lobby, unless changed. */
function tokenOf({ claims = {}, typ = 'access+jwt', alg = 'HS256', kid, expiresIn = 60, key }: Change = {}) {
  const payload = { sub: 'alice', room: 'lobby', grants: all, aud: 'mediasoup-server', ...claims };
  return new SignJWT(payload)
    .setProtectedHeader({ alg, typ, ...(kid !== undefined && { kid }) })
    .setExpirationTime(Math.floor(Date.now() / 1000) + expiresIn)
    .sign(key ?? new TextEncoder().encode(SECRET));
}

/** A token whose signature is made by hand. */
function handMade(header: object, payload: object | string, signature: (text: string) => string): string {
  const encode = (part: object | string) =>
    Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');
  const text = `${encode(header)}.${encode(payload)}`;
  return `${text}.${signature(text)}`;
}

const jwtMode: SettingOverrides = { mode: 'jwt', accessTokenSecret: SECRET, corsOrigins: ['https://app.example.com'] };

describe('mode jwt', () => {
  let bed: TestBed;
  before(async () => {
    bed = await startTestBed(jwtMode);
    await (await bed.daemon('daemon')).join(bed.url, DAEMON_KEY);
  });
  after(() => bed.close());

  const assign = (token: string | undefined, url = bed.url, roomId = 'lobby', peerId = 'alice') =>
    fetch(`${url}/rooms/${roomId}/assignments`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token !== undefined && { authorization: `Bearer ${token}` }) },
      body: JSON.stringify({ peerId }),
    });
  const get = (path: string, token?: string) =>
    fetch(bed.url + path, { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } });

  test('an access token is exchanged for an assignment token with its grants', async () => {
    for (const grants of [all, none, { ...none, subscribe: true }]) {
      const answer = await assign(await tokenOf({ claims: { grants } }));
      assert.equal(answer.status, 201);
      assert.deepEqual(decodeJwt((await assignmentOf(answer)).token).grants, grants);
    }
    const partial = await assign(await tokenOf({ claims: { grants: { publish: true } } }));
    assert.deepEqual(decodeJwt((await assignmentOf(partial)).token).grants, { ...none, publish: true });
  });

  const now = Math.floor(Date.now() / 1000);
  const claims = { sub: 'alice', room: 'lobby', grants: all, aud: 'mediasoup-server', exp: now + 3600 };
  const wrong: Record<string, () => Promise<string | undefined> | string | undefined> = {
    'no token': () => undefined,
    'no JWT': () => 'nonsense',
    'an expired one': () => tokenOf({ expiresIn: -6 }),
    'one without an end': () =>
      new SignJWT({ sub: 'alice', room: 'lobby', grants: all, aud: 'mediasoup-server' })
        .setProtectedHeader({ alg: 'HS256', typ: 'access+jwt' })
        .sign(new TextEncoder().encode(SECRET)),
    ...Object.fromEntries(
      // JSON.parse makes Infinity of 1e999; the next ones are milliseconds, a fraction, and a string.
      ['1e999', String(Date.now() + 3_600_000), '9007199254740993', `${now + 60}.5`, `"${now + 60}"`, '-1e999'].map(
        (exp) => [
          `one that expires at ${exp}`,
          () =>
            handMade(
              { alg: 'HS256', typ: 'access+jwt' },
              JSON.stringify({ ...claims, exp: 0 }).replace('"exp":0', `"exp":${exp}`),
              (text) => createHmac('sha256', SECRET).update(text).digest('base64url'),
            ),
        ],
      ),
    ),
    'one of another key': () => tokenOf({ key: new TextEncoder().encode(`${SECRET}!`) }),
    'one of another audience': () => tokenOf({ claims: { aud: 'media-daemon' } }),
    'one of another kind': () => tokenOf({ typ: 'assignment+jwt' }),
    'one without a room': () => tokenOf({ claims: { room: undefined } }),
    'one without grants': () => tokenOf({ claims: { grants: undefined } }),
    'one with wrong grants': () => tokenOf({ claims: { grants: { publish: 'yes' } } }),
    'one without a signature, alg "none"': () => handMade({ alg: 'none', typ: 'access+jwt' }, claims, () => ''),
    'one with another algorithm': () => tokenOf({ alg: 'HS512' }),
    'one for all rooms that is no operator’s': () => tokenOf({ claims: { room: '*' } }),
  };
  for (const [what, make] of Object.entries(wrong)) {
    test(`with ${what} every route answers 401, and always the same`, async () => {
      const token = await make();
      for (const answer of [
        await assign(token),
        await get('/rooms/lobby', token),
        await get('/rooms', token),
        await get('/daemons', token),
        await get('/rooms/lobby/instances', token),
      ]) {
        assert.match(answer.headers.get('www-authenticate') ?? '', /^Bearer/);
        assert.deepEqual(await problemOf(answer), { status: 401, code: 'UNAUTHORIZED' });
      }
    });
  }

  test('a clock that is off by less than the tolerance is forgiven', async () => {
    assert.equal((await assign(await tokenOf({ expiresIn: -2 }))).status, 201);
  });

  test('an assignment token is no access token', async () => {
    const { token } = await assignmentOf(await assign(await tokenOf()));
    assert.equal((await problemOf(await assign(token))).code, 'UNAUTHORIZED');
  });

  test("another peer's or room's token answers 403", async () => {
    const token = await tokenOf();
    assert.equal((await problemOf(await assign(token, bed.url, 'lobby', 'mallory'))).code, 'FORBIDDEN');
    assert.equal((await problemOf(await assign(token, bed.url, 'vault', 'alice'))).code, 'FORBIDDEN');
    assert.equal((await problemOf(await get('/rooms/vault', token))).code, 'FORBIDDEN');
    assert.equal((await get('/rooms/lobby', token)).status, 200);
  });

  test('lists are for operators: of all rooms, or of one', async () => {
    const operator = await tokenOf({ claims: { room: '*', grants: { admin: true } } });
    const ofRoom = await tokenOf({ claims: { grants: { admin: true } } });
    const paths = ['/rooms', '/daemons', '/rooms/lobby/instances'];
    const statusOf = async (token: string) => Promise.all(paths.map(async (path) => (await get(path, token)).status));
    assert.deepEqual(await statusOf(operator), [200, 200, 200]);
    assert.deepEqual(await statusOf(ofRoom), [403, 403, 200]);
    assert.deepEqual(await statusOf(await tokenOf()), [403, 403, 403]);
  });

  for (const [alg, pair] of [
    ['EdDSA', generateKeyPairSync('ed25519')],
    ['ES256', generateKeyPairSync('ec', { namedCurve: 'P-256' })],
    ['RS256', generateKeyPairSync('rsa', { modulusLength: 2048 })],
  ] as const) {
    test(`a public key in a file verifies ${alg} alone, and is no secret`, async () => {
      const file = join(bed.dataDir, `${alg}.pem`);
      const pem = pair.publicKey.export({ type: 'spki', format: 'pem' }).toString();
      await writeFile(file, pem);
      const { url } = await bed.another({ ...jwtMode, accessTokenSecret: undefined, accessTokenKeyFile: file });
      assert.equal((await assign(await tokenOf({ alg, key: pair.privateKey }), url)).status, 201);
      const confused = handMade({ alg: 'HS256', typ: 'access+jwt' }, claims, (text) =>
        createHmac('sha256', pem).update(text).digest('base64url'),
      );
      assert.equal((await problemOf(await assign(confused, url))).code, 'UNAUTHORIZED');
      assert.equal((await problemOf(await assign(await tokenOf(), url))).code, 'UNAUTHORIZED');
    });
  }

  test('the body of a request is not read before its token is verified', async () => {
    for (const path of ['/rooms/lobby/assignments', '/command-tokens']) {
      const answer = await fetch(`${bed.url}${path}`, {
        method: 'POST',
        body: 'no JSON',
        headers: { authorization: 'Bearer x' },
      });
      assert.deepEqual(await problemOf(answer), { status: 401, code: 'UNAUTHORIZED' }, path);
    }
  });

  test('the keys of a URL are fetched when they are needed, and no fetch fails anybody for good', async (t) => {
    const pair = generateKeyPairSync('ed25519');
    const jwk = { ...createPublicKey(pair.privateKey).export({ format: 'jwk' }), kid: 'first', alg: 'EdDSA' };
    let fetches = 0;
    let works = false;
    const server = createServer((_request, answer) => {
      fetches++;
      answer.writeHead(works ? 200 : 500, { 'content-type': 'application/json' });
      answer.end(JSON.stringify({ keys: [jwk] }));
    }).listen(0, '127.0.0.1');
    t.after(() => server.close());
    await new Promise((resolve) => server.once('listening', resolve));
    const { url } = await bed.another({
      ...jwtMode,
      accessTokenSecret: undefined,
      accessTokenJwksUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    });
    const good = await tokenOf({ alg: 'EdDSA', kid: 'first', key: pair.privateKey });
    for (let time = 0; time < 20; time++) assert.equal((await problemOf(await assign(good, url))).code, 'UNAVAILABLE');
    assert.ok(fetches < 20, `${fetches} fetches of keys that cannot be had for twenty tokens`);
    works = true;
    let answer = await assign(good, url);
    while (answer.status === 503) {
      await delay(20);
      answer = await assign(good, url);
    }
    assert.equal(answer.status, 201);
    const before = fetches;
    for (let time = 0; time < 5; time++) {
      const unknown = await tokenOf({ alg: 'EdDSA', kid: `unknown ${time}`, key: pair.privateKey });
      assert.equal((await problemOf(await assign(unknown, url))).code, 'UNAUTHORIZED');
    }
    assert.ok(fetches <= before + 1, `${fetches - before} fetches for five unknown keys`);
  });
});

test('a private key is not taken for the access key', async () => {
  const bed = await startTestBed();
  const file = join(bed.dataDir, 'private.pem');
  await writeFile(file, generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }));
  await assert.rejects(bed.another({ mode: 'jwt', accessTokenKeyFile: file }), /private key/);
  await bed.close();
});

test('further assignment keys are published beside the one that signs', async () => {
  const bed = await startTestBed();
  const files = ['now.pem', 'next.pem'].map((name) => join(bed.dataDir, name));
  for (const file of files) {
    const { privateKey } = generateKeyPairSync('ed25519');
    await writeFile(file, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  }
  const kidsOf = async (url: string) => {
    const { keys } = (await (await fetch(`${url}/.well-known/jwks.json`)).json()) as { keys: { kid: string }[] };
    return keys.map(({ kid }) => kid);
  };
  const [now, next] = files;
  const before = await bed.another({ assignmentKeyFile: now, otherAssignmentKeyFiles: [String(next)] });
  const turned = await bed.another({ assignmentKeyFile: next, otherAssignmentKeyFiles: [String(now)] });
  assert.deepEqual(await kidsOf(before.url), (await kidsOf(turned.url)).toReversed());
  const twice = await bed.another({ assignmentKeyFile: now, otherAssignmentKeyFiles: [String(next), String(now)] });
  assert.deepEqual(await kidsOf(twice.url), await kidsOf(before.url), 'one that is listed twice is published once');
  await bed.close();
});
