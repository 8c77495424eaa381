import assert from 'node:assert/strict';
import { after, type TestContext, test } from 'node:test';
import { type ServiceError, status } from '@grpc/grpc-js';
import type { CallSettings } from '@mediasoup-server/backend-client/calls';
import { SignalingClient } from '@mediasoup-server/media-daemon/testing/SignalingClient';
import { MediaDaemon } from '@mediasoup-server/proto/daemon';
import { decodeJwt, SignJWT } from 'jose';
import { bearing, commandsOf, Stack } from '../support/stack.ts';

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

/** The code that a call of each method for a room ends with; OK also stands for NOT_FOUND, which comes after the authorization. */
function codesWith(t: TestContext) {
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

/** One control plane and one daemon in mode `jwt` serve these tests. */
const stack = await Stack.start(
  { after },
  {
    CONTROL_PLANE_MODE: 'jwt',
    CONTROL_PLANE_ACCESS_TOKEN_SECRET: SECRET,
    CONTROL_PLANE_CORS_ORIGINS: 'https://app.example.com',
  },
);
const daemon = await stack.startDaemon('daemon-a', { MEDIA_DAEMON_MODE: 'jwt' });

test('in mode `jwt` each command needs a token with its scope and for its room', async (t) => {
  const codes = codesWith(t);
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

test('a token of another kind commands nothing, and a command token does not join', async (t) => {
  const codes = codesWith(t);
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

test('command tokens are issued to operators of the room or of all rooms', async () => {
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
