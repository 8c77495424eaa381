import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type ServiceError, status } from '@grpc/grpc-js';
import { SignalingClient } from '@mediasoup-server/media-daemon/testing/SignalingClient';
import { MediaDaemon } from '@mediasoup-server/proto/daemon';
import type { CallSettings } from '@mediasoup-server/proto/grpc';
import { decodeJwt, SignJWT } from 'jose';
import { bearing, commandsOf, type Running, Stack } from './testing/stack.ts';

const SECRET = 'a secret of the tests that is long enough';
type Method = keyof (typeof MediaDaemon)['method'];
const methods = MediaDaemon.methods.map(({ localName }) => localName as Method);
const writing: readonly Method[] = [
  'createRoom',
  'closeRoom',
  'closePeer',
  'pauseProducer',
  'resumeProducer',
  'closeProducer',
  'sendNotification',
];
const roomless: readonly Method[] = ['getInfo', 'listRooms', 'drain'];

const accessToken = (claims: object) =>
  new SignJWT({ sub: 'backend', aud: 'mediasoup-server', exp: Math.floor(Date.now() / 1000) + 60, ...claims })
    .setProtectedHeader({ alg: 'HS256', typ: 'access+jwt' })
    .sign(new TextEncoder().encode(SECRET));

/** The code that a call of each method for a room ends with; OK stands for getting past the authorization. */
function codesWith(t: TestContext, daemon: Running) {
  const commands = commandsOf(t, daemon);
  return async (settings: CallSettings, roomId = 'nowhere', of = methods): Promise<Record<string, status>> => {
    const codeOf = async (method: Method) => {
      const answer = commands[method]({ roomId, dataJson: '1', peerId: 'x' } as never, settings);
      try {
        if (Symbol.asyncIterator in answer) {
          await answer.next();
          await answer.return();
        } else await answer;
      } catch (error) {
        const { code } = error as ServiceError;
        return code === status.NOT_FOUND ? status.OK : code;
      }
      return status.OK;
    };
    const entries: [Method, status][] = [];
    for (const method of of) entries.push([method, await codeOf(method)]);
    return Object.fromEntries(entries);
  };
}

const every = (code: status, but: Partial<Record<Method, status>> = {}, of = methods) =>
  Object.fromEntries(of.map((method) => [method, but[method] ?? code]));

async function strictStack(t: TestContext, environment: Record<string, string> = {}) {
  const stack = await Stack.start(t, {
    CONTROL_PLANE_MODE: 'jwt',
    CONTROL_PLANE_ACCESS_TOKEN_SECRET: SECRET,
    CONTROL_PLANE_CORS_ORIGINS: 'https://app.example.com',
  });
  return { stack, daemon: await stack.startDaemon('daemon-a', { MEDIA_DAEMON_MODE: 'jwt', ...environment }) };
}

test('in mode `jwt` each command asks for a token with its scope, for its room', async (t) => {
  const { stack, daemon } = await strictStack(t);
  const codes = codesWith(t, daemon);
  const { OK, UNAUTHENTICATED, PERMISSION_DENIED } = status;
  const withoutDrain = methods.filter((method) => method !== 'drain');
  assert.deepEqual(await codes({}), every(UNAUTHENTICATED));
  const operator = await accessToken({ room: '*', grants: { admin: true } });

  const reading = await stack.commandSettings(operator, { scopes: ['rooms:read'] });
  const denied = Object.fromEntries([...writing, 'drain'].map((method) => [method, PERMISSION_DENIED]));
  assert.deepEqual(await codes(reading), every(OK, denied));
  const nothing = await stack.commandSettings(operator, { scopes: [] });
  assert.deepEqual(await codes(nothing), every(PERMISSION_DENIED));

  const ofRoom = await stack.commandSettings(await accessToken({ room: 'lobby', grants: { admin: true } }), {
    roomId: 'lobby',
  });
  assert.deepEqual(await codes(ofRoom, 'vault'), every(PERMISSION_DENIED));
  const deniedRoomless = Object.fromEntries(roomless.map((method) => [method, PERMISSION_DENIED]));
  assert.deepEqual(await codes(ofRoom, 'lobby'), every(OK, deniedRoomless));

  const all = await stack.commandSettings(operator);
  assert.deepEqual(await codes(all, 'nowhere', withoutDrain), every(OK, {}, withoutDrain));
});

test('what is no command token commands nothing', async (t) => {
  const { stack, daemon } = await strictStack(t);
  const codes = codesWith(t, daemon);
  const operator = await accessToken({ room: '*', grants: { admin: true } });
  const { metadata } = await stack.commandSettings(operator);
  const good = String(metadata.get('authorization')[0]).replace('Bearer ', '');
  const { token: assignment } = await stack.assign(
    'lobby',
    'alice',
    stack.controlPlaneUrl,
    await accessToken({ sub: 'alice', room: 'lobby', grants: { publish: true } }),
  );
  const [header, , signature] = good.split('.');
  const forged = [header, Buffer.from(JSON.stringify({ ...decodeJwt(good), x: 1 })).toString('base64url'), signature];
  for (const [what, bad] of Object.entries({ nonsense: 'x', operator, assignment, forged: forged.join('.') }))
    assert.deepEqual(await codes(bearing(bad)), every(status.UNAUTHENTICATED), what);
  // Nor does a command token let a peer in.
  const { url } = await stack.assign(
    'lobby',
    'alice',
    stack.controlPlaneUrl,
    await accessToken({ sub: 'alice', room: 'lobby', grants: {} }),
  );
  const swapped = new URL(url);
  swapped.searchParams.set('token', good);
  const client = await SignalingClient.openUrl(swapped.href);
  assert.equal((await client.notified('error')).code, 401);
});

test('a command token is for operators: of its room, or of all', async (t) => {
  const { stack } = await strictStack(t);
  const ask = async (claims: object, asked: object) => {
    const answer = await fetch(`${stack.controlPlaneUrl}/command-tokens`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${await accessToken(claims)}` },
      body: JSON.stringify(asked),
    });
    return answer.status;
  };
  const ofLobby = { room: 'lobby', grants: { admin: true } };
  assert.equal(await ask(ofLobby, { roomId: 'lobby' }), 201);
  assert.equal(await ask(ofLobby, {}), 403);
  assert.equal(await ask(ofLobby, { roomId: 'vault' }), 403);
  assert.equal(await ask({ room: 'lobby', grants: { publish: true } }, { roomId: 'lobby' }), 403);
  assert.equal(await ask(ofLobby, { roomId: 'lobby', scopes: ['everything'] }), 400);
});

/** A certificate authority, and certificates for 127.0.0.1 that it signs. */
function authority(folder: string, name: string) {
  const file = (of: string) => join(folder, `${name}-${of}`);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl('req', '-x509', ...key, '-subj', `/CN=${name}`, '-keyout', file('ca.key'), '-out', file('ca.crt'));
  const sign = (whom: string) => {
    const files = { cert: file(`${whom}.crt`), key: file(`${whom}.key`) };
    openssl('req', ...key, '-subj', `/CN=${whom}`, '-keyout', files.key, '-out', file(`${whom}.csr`));
    writeFileSync(file('extensions'), 'subjectAltName=IP:127.0.0.1');
    const by = ['-CA', file('ca.crt'), '-CAkey', file('ca.key'), '-CAcreateserial', '-extfile', file('extensions')];
    openssl('x509', '-req', '-in', file(`${whom}.csr`), ...by, '-out', files.cert);
    return files;
  };
  return { ca: file('ca.crt'), sign };
}

test('with client certificates whoever has one commands, nobody else connects, and the control plane assigns', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'certificates-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const ours = authority(folder, 'ours');
  const [server, controlPlane, backend] = [ours.sign('daemon'), ours.sign('control-plane'), ours.sign('backend')];
  const stack = await Stack.start(t, {
    CONTROL_PLANE_DAEMON_TLS: 'true',
    CONTROL_PLANE_DAEMON_CA_FILE: ours.ca,
    CONTROL_PLANE_DAEMON_CLIENT_CERT_FILE: controlPlane.cert,
    CONTROL_PLANE_DAEMON_CLIENT_KEY_FILE: controlPlane.key,
  });
  const daemon = await stack.startDaemon('daemon-a', {
    MEDIA_DAEMON_GRPC_TLS_CERT_FILE: server.cert,
    MEDIA_DAEMON_GRPC_TLS_KEY_FILE: server.key,
    MEDIA_DAEMON_GRPC_CLIENT_CA_FILE: ours.ca,
    MEDIA_DAEMON_CERTIFICATE_POLL_MS: '50',
  });
  const { url } = await stack.assign('lobby', 'alice');
  const alice = await SignalingClient.openUrl(url);
  await alice.request('joinRoom', { roomId: 'lobby', peerId: 'alice' });

  const infoWith = (ca: string, shown?: { cert: string; key: string }) => {
    const own = shown && { key: readFileSync(shown.key), cert: readFileSync(shown.cert) };
    return commandsOf(t, daemon, { ca: readFileSync(ca), ...own }).getInfo({}, { deadline: Date.now() + 20_000 });
  };
  assert.equal((await infoWith(ours.ca, backend)).peers, 1);
  const theirs = authority(folder, 'theirs');
  const refused = { code: status.UNAVAILABLE };
  await assert.rejects(infoWith(ours.ca), refused, 'without a certificate');
  await assert.rejects(infoWith(ours.ca, theirs.sign('stranger')), refused, "with another authority's");
  await assert.rejects(commandsOf(t, daemon).getInfo({}, { deadline: Date.now() + 20_000 }), refused, 'in plain text');
  await assert.rejects(infoWith(theirs.ca, backend), refused, 'a client that knows another authority');
  assert.equal((await infoWith(ours.ca, backend)).peers, 1);
  // A certificate that replaces the server's is shown from then on.
  const next = theirs.sign('daemon');
  copyFileSync(next.key, server.key);
  copyFileSync(next.cert, server.cert);
  const shown = async () => assert.equal((await infoWith(theirs.ca, backend)).peers, 1);
  await t.waitFor(shown, { interval: 100, timeout: 30_000 });
});
