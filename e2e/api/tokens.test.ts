import assert from 'node:assert/strict';
import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { opusRtpParameters } from '@mediasoup-server/media-daemon/testing/opus';
import { SignalingClient } from '@mediasoup-server/media-daemon/testing/SignalingClient';
import { calculateJwkThumbprint, decodeJwt, type JWTPayload, SignJWT } from 'jose';
import { SharedStore } from '../support/SharedStore.ts';
import { commandsOf, type Ending, Stack } from '../support/stack.ts';
import { waitForSuccess, waitUntil } from '../support/waitUntil.ts';

const SECRET = 'a secret of the tests that is long enough';
const seconds = () => Math.floor(Date.now() / 1000);

async function keyFile(folder: string, name: string) {
  const { privateKey } = generateKeyPairSync('ed25519');
  const file = join(folder, name);
  await writeFile(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  const jwk = createPublicKey(privateKey).export({ format: 'jwk' });
  return { privateKey, file, kid: await calculateJwkThumbprint(jwk as { kty: 'OKP' }) };
}

/** A control plane and a daemon in mode `jwt`, and the key that signs assignments. */
async function strictStack(t: Ending, environment: Record<string, string> = {}, tables?: 'tables') {
  const folder = await mkdtemp(join(tmpdir(), 'keys-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const key = await keyFile(folder, 'assignments.pem');
  const settings = {
    CONTROL_PLANE_MODE: 'jwt',
    CONTROL_PLANE_ACCESS_TOKEN_SECRET: SECRET,
    CONTROL_PLANE_CORS_ORIGINS: 'https://app.example.com',
    CONTROL_PLANE_ASSIGNMENT_KEY_FILE: key.file,
    CONTROL_PLANE_STATIC_DIR: '',
    ...environment,
  };
  const stack = await Stack.start(t, settings, tables);
  const daemon = await stack.startDaemon('daemon-a', { MEDIA_DAEMON_MODE: 'jwt' });
  const accessToken = (peerId: string, grants: object, room: string) =>
    new SignJWT({ sub: peerId, room, grants, aud: 'mediasoup-server', exp: seconds() + 600 })
      .setProtectedHeader({ alg: 'HS256', typ: 'access+jwt' })
      .sign(new TextEncoder().encode(SECRET));
  const assign = async (roomId: string, peerId: string, grants: object) =>
    stack.assign(roomId, peerId, stack.controlPlaneUrl, await accessToken(peerId, grants, roomId));
  const commands = commandsOf(t, daemon);
  const operator = await stack.commandSettings(await accessToken('operator', { admin: true }, '*'));
  return { stack, daemon, key, folder, accessToken, assign, commands, operator };
}

/** Serves the tests that neither drain it nor change its keys: each has a room of its own. */
const shared = await strictStack({ after });

/** How joining with a token ends: `joined`, or the code of the refusal. */
async function joining(url: string, token: string | undefined, roomId = 'lobby', peerId = 'alice') {
  const query = Object.entries({ roomId, peerId, ...(token !== undefined && { token }) });
  const client = await SignalingClient.openUrl(`${url}/?${new URLSearchParams(query)}`);
  const answer = client.ask('joinRoom', { roomId, peerId }).then(
    ({ ok, errorCode }) => (ok ? 'joined' : errorCode),
    () => 'closed',
  );
  const refused = client.notified('error').then(
    ({ code }) => code as number,
    () => undefined,
  );
  const how = await Promise.race([answer, refused]);
  client.close();
  await client.closed;
  return how;
}

test('a token that is not good for a connection never joins', async () => {
  const { daemon, key, accessToken, assign } = shared;
  const all = { publish: true, subscribe: true, data: true };
  const { token } = await assign('lobby', 'alice', all);
  const claims = decodeJwt(token);
  const header = { alg: 'EdDSA', typ: 'assignment+jwt', kid: key.kid };
  const signed = (change: JWTPayload, by: KeyObject = key.privateKey, changed: object = {}) =>
    new SignJWT({ ...claims, ...change }).setProtectedHeader({ ...header, ...changed }).sign(by);
  const handMade = (changed: object, signature: (text: string) => string) => {
    const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
    const text = `${encode({ ...header, ...changed })}.${encode(claims)}`;
    return `${text}.${signature(text)}`;
  };
  const publicPem = createPublicKey(key.privateKey).export({ type: 'spki', format: 'pem' }).toString();
  const stranger = generateKeyPairSync('ed25519').privateKey;
  const wrong: Record<string, string | undefined> = {
    none: undefined,
    'no JWT': 'nonsense',
    expired: await signed({ exp: seconds() - 10 }),
    'without an end': await new SignJWT(Object.fromEntries(Object.entries(claims).filter(([name]) => name !== 'exp')))
      .setProtectedHeader(header)
      .sign(key.privateKey),
    forged: await signed({}, stranger),
    "forged, of another key's name": await signed({}, stranger, { kid: 'another' }),
    'of another room': await signed({ roomId: 'vault' }),
    'of another peer': await signed({ peerId: 'mallory' }),
    'of another daemon': await signed({ daemonId: 'daemon-b' }),
    'of another incarnation': await signed({ incarnation: 'former' }),
    'of another audience': await signed({ aud: 'mediasoup-server' }),
    'of another kind': await signed({}, key.privateKey, { typ: 'access+jwt' }),
    'without an epoch': await signed({ epoch: undefined } as JWTPayload),
    'without grants': await signed({ grants: undefined } as JWTPayload),
    'with alg "none"': handMade({ alg: 'none' }, () => ''),
    'with the public key as secret': handMade({ alg: 'HS256' }, (text) =>
      createHmac('sha256', publicPem).update(text).digest('base64url'),
    ),
    'an access token': await accessToken('alice', all, 'lobby'),
  };
  for (const [what, bad] of Object.entries(wrong)) assert.equal(await joining(daemon.url, bad), 401, what);
  assert.equal(await joining(daemon.url, token, 'lobby', 'mallory'), 401, 'used by another peer');
  assert.equal(await joining(daemon.url, token, 'vault', 'alice'), 401, 'used for another room');
  // An unchanged token joins: each was refused for its change.
  for (let time = 0; time < 2; time++) assert.equal(await joining(daemon.url, await signed({})), 'joined');
});

test('a peer may do what its grants allow', async () => {
  const roomId = 'stage';
  const { assign } = shared;
  const join = async (peerId: string, grants: object) => {
    const client = await SignalingClient.openUrl((await assign(roomId, peerId, grants)).url);
    const joined = await client.request('joinRoom', { roomId, peerId, transports: ['send', 'recv'] });
    return { client, rtpCapabilities: joined.rtpCapabilities };
  };
  const speaker = await join('speaker', { publish: true, data: true });
  const listener = await join('listener', { subscribe: true });
  const produce = { kind: 'audio', rtpParameters: opusRtpParameters() };
  const { producerId } = await speaker.client.request('produce', produce);
  const channel = { sctpStreamParameters: { streamId: 1 } };
  const { dataProducerId } = await speaker.client.request('produceData', channel);
  const { rtpCapabilities } = listener;
  await listener.client.request('consume', { producerId, rtpCapabilities });
  const codeOf = async (client: SignalingClient, method: string, data: object) =>
    (await client.ask(method, data)).errorCode;
  assert.equal(await codeOf(listener.client, 'produce', produce), 403);
  assert.equal(await codeOf(listener.client, 'produceData', channel), 403);
  assert.equal(await codeOf(listener.client, 'consumeData', { dataProducerId }), 403);
  assert.equal(await codeOf(speaker.client, 'consume', { producerId, rtpCapabilities }), 403);
});

test('S64 a stranger does not learn who is here, also while the daemon drains', async (t) => {
  const { daemon, assign, commands, operator } = await strictStack(t);
  const { url, token } = await assign('lobby', 'alice', { publish: true });
  const alice = await SignalingClient.openUrl(url);
  const { sessionId } = await alice.request('joinRoom', { roomId: 'lobby', peerId: 'alice' });
  const wrong = [{}, { token: 'x' }, { token: `${token}x` }, { sessionId: 'guessed' }];
  const addresses = ['alice', 'nobody'].flatMap((peerId) =>
    wrong.map((more) => `${daemon.url}/?${new URLSearchParams({ roomId: 'lobby', peerId, ...more })}`),
  );
  const outcomes = addresses.map(async (address) => {
    const stranger = await SignalingClient.openUrl(address);
    // The answer proves that the connection is not closed at once.
    await stranger.request('ping');
    return [(await stranger.notified('error')).code, await stranger.closed];
  });
  assert.deepEqual(await Promise.all(outcomes), Array(addresses.length).fill([401, 4000]));

  await commands.drain({ deadline: { seconds: 60n, nanos: 0 } }, operator);
  for (const address of addresses) await assert.rejects(SignalingClient.openUrl(address), /503/, address);
  for (const proof of [{ token }, { sessionId }]) {
    const address = `${daemon.url}/?${new URLSearchParams({ roomId: 'lobby', peerId: 'alice', ...proof })}`;
    await (await SignalingClient.openUrl(address)).request('ping');
  }
});

test('an assignment made before its room was closed by command does not open it again', async () => {
  const roomId = 'closed';
  const { daemon, assign, commands, operator } = shared;
  const { url } = await assign(roomId, 'alice', { publish: true });
  const alice = await SignalingClient.openUrl(url);
  await alice.request('joinRoom', { roomId, peerId: 'alice' });
  await commands.closeRoom({ roomId, reason: 'over' }, operator);
  assert.equal(await alice.closed, 4000);
  const { token } = Object.fromEntries(new URL(url).searchParams);
  assert.equal(await joining(daemon.url, token, roomId), 401);
  // Once the control plane knows that the room is closed, it assigns her again.
  await waitForSuccess('she joins with a new assignment', async () =>
    assert.equal(await joining(daemon.url, (await assign(roomId, 'alice', { publish: true })).token, roomId), 'joined'),
  );
  assert.equal(await joining(daemon.url, token, roomId), 401);
});

test('S55 a connection opened before its peer was kicked or its room closed does not join', async () => {
  const roomId = 'kicked';
  const { assign, commands, operator } = shared;
  const { closePeer, closeRoom } = commands;
  const refuseFor = { seconds: 60n, nanos: 0 };
  for (const [peerId, kick, code] of [
    ['alice', () => closePeer({ roomId, peerId: 'alice' }, operator), 401],
    ['bob', () => closePeer({ roomId, peerId: 'bob', refuseFor }, operator), 403],
    ['carol', () => closeRoom({ roomId }, operator), 401],
  ] as const) {
    const { url } = await assign(roomId, peerId, { publish: true });
    const joined = await SignalingClient.openUrl(url);
    const { sessionId } = await joined.request('joinRoom', { roomId, peerId });
    const waiting = await SignalingClient.openUrl(url);
    await waiting.request('ping');
    await kick();
    assert.equal(await joined.closed, 4000, peerId);
    // It may be refused before it asks.
    const answer = await waiting.ask('joinRoom', { roomId, peerId }).catch(() => undefined);
    assert.notEqual(answer?.ok, true);
    assert.equal((await waiting.notified('error')).code, code);
    assert.equal(await waiting.closed, 4000);
    // The session is not resumed either.
    const resuming = await SignalingClient.openUrl(`${url}&sessionId=${sessionId}`);
    const resumed = await resuming.ask('joinRoom', { roomId, peerId, sessionId }).catch(() => undefined);
    assert.notEqual(resumed?.ok, true);
    assert.equal((await resuming.notified('error')).code, code);
  }
});

test('an assignment made before its peer was kicked does not join, although the clock that dated it is wrong', async (t) => {
  const store = await SharedStore.start(t);
  const { stack, daemon, accessToken, commands, operator } = await strictStack(t, store.settings, 'tables');
  for (const skew of [60_000, -60_000]) {
    const roomId = `skewed${skew}`;
    // The daemon sends no heartbeat to this control plane.
    const { ready } = await stack.startControlPlane({
      NODE_OPTIONS: `--import=${import.meta.resolve('../support/skewedClock.ts')}`,
      CLOCK_SKEW_MS: String(skew),
    });
    const assign = async () =>
      stack.assign(roomId, 'alice', String(ready.url), await accessToken('alice', { publish: true }, roomId));
    const [first, second] = [await assign(), await assign()];
    const alice = await SignalingClient.openUrl(first.url);
    await alice.request('joinRoom', { roomId, peerId: 'alice' });
    await commands.closePeer({ roomId, peerId: 'alice' }, operator);
    assert.equal(await alice.closed, 4000);
    assert.equal(await joining(daemon.url, second.token, roomId), 401);
    await waitForSuccess('she joins with a new assignment', async () =>
      assert.equal(await joining(daemon.url, (await assign()).token, roomId), 'joined'),
    );
    assert.equal(await joining(daemon.url, second.token, roomId), 401);
  }
});

test('an assignment to a room that has closed and opened on another daemon is refused with 503', async (t) => {
  const stack = await Stack.start(t, { CONTROL_PLANE_STATIC_DIR: '', CONTROL_PLANE_HEARTBEAT_INTERVAL_MS: '200' });
  await stack.startDaemon('daemon-a', { MEDIA_DAEMON_MAX_PEERS: '1' });
  const { url } = await stack.assign('lobby', 'alice');
  const first = await SignalingClient.openUrl(url);
  await first.request('joinRoom', { roomId: 'lobby', peerId: 'alice' });
  first.close();
  const status = async () => (await fetch(`${stack.controlPlaneUrl}/rooms/lobby`)).status;
  await waitUntil('the room is closed', async () => (await status()) === 404);
  // The place reserved for Zoe fills the daemon.
  await stack.assign('another', 'zoe');
  await stack.startDaemon('daemon-b');
  assert.equal((await stack.assign('lobby', 'bob')).daemonId, 'daemon-b');
  const alice = await SignalingClient.openUrl(url);
  const { errorCode, errorReason } = await alice.ask('joinRoom', { roomId: 'lobby', peerId: 'alice' });
  assert.equal(errorCode, 503);
  assert.match(errorReason ?? '', /daemon-b/);
});

test('in mode `jwt` the daemon describes a room only to who has an assignment to it', async () => {
  const roomId = 'described';
  const { daemon, assign } = shared;
  const { url, token } = await assign(roomId, 'alice', {});
  const alice = await SignalingClient.openUrl(url);
  await alice.request('joinRoom', { roomId, peerId: 'alice' });
  const status = async (id: string, query: string) =>
    (await fetch(`${daemon.url.replace(/^ws/, 'http')}/rooms/${id}${query}`)).status;
  assert.equal(await status(roomId, `?token=${token}`), 200);
  for (const id of [roomId, 'nowhere'])
    for (const query of ['', '?token=nonsense', ...(id === 'nowhere' ? [`?token=${token}`] : [])])
      assert.equal(await status(id, query), 401, `${id}${query}`);
});

test('the daemon asks for a key that came after its last heartbeat', async (t) => {
  const { stack, daemon, folder, accessToken } = await strictStack(t);
  const next = await keyFile(folder, 'next.pem');
  // The control plane restarts with another key, and the next heartbeat is a minute away.
  stack.controlPlane.kill('SIGKILL');
  await stack.restartControlPlane({
    CONTROL_PLANE_ASSIGNMENT_KEY_FILE: next.file,
    CONTROL_PLANE_OTHER_ASSIGNMENT_KEY_FILES: join(folder, 'assignments.pem'),
    CONTROL_PLANE_HEARTBEAT_INTERVAL_MS: '60000',
    CONTROL_PLANE_SUSPECT_AFTER_MS: '600000',
  });
  const { token } = await stack.assign(
    'lobby',
    'alice',
    stack.controlPlaneUrl,
    await accessToken('alice', {}, 'lobby'),
  );
  assert.equal(await joining(daemon.url, token), 'joined');
});
