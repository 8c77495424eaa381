import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Metadata, status } from '@grpc/grpc-js';
import { MediaDaemon } from '@mediasoup-server/proto/daemon';
import { authorizeByToken, type CommandGrant } from './authorize.ts';
import { CommandError } from './CommandError.ts';

const expiresAt = Number.MAX_SAFE_INTEGER;
const identity = { daemonId: 'daemon', incarnation: 'second' };
const MAX_EPOCH = 2n ** 53n - 1n;

/** The code that a call ends with which brings a token of this grant; OK for one that passes. */
async function codeOf(grant: CommandGrant, name: keyof typeof MediaDaemon.method, request: object): Promise<status> {
  const metadata = new Metadata();
  metadata.set('authorization', 'Bearer token');
  const authorize = authorizeByToken(
    async () => grant,
    () => identity,
  );
  return authorize({ method: MediaDaemon.method[name], metadata, request: request as never }).then(
    () => status.OK,
    (error: unknown) => CommandError.from(error).code,
  );
}

test("a backend's token gives no epoch, of its own room neither", async () => {
  const scopes = ['rooms:read', 'rooms:write'];
  for (const room of ['lobby', '*']) {
    const grant = { room, scopes, expiresAt };
    const code = await codeOf(grant, 'createRoom', { roomId: 'lobby', epoch: MAX_EPOCH });
    assert.equal(code, status.PERMISSION_DENIED);
    const moved = await codeOf(grant, 'closeRoom', { roomId: 'lobby', movedEpoch: 1n });
    assert.equal(moved, status.PERMISSION_DENIED);
    assert.equal(await codeOf(grant, 'createRoom', { roomId: 'lobby', epoch: 0n }), status.OK);
    assert.equal(await codeOf(grant, 'closeRoom', { roomId: 'lobby', movedEpoch: 0n }), status.OK);
  }
});

test("the control plane's token commands one incarnation about one room, and may give an epoch", async () => {
  const grant = { room: 'lobby', scopes: ['rooms:write'], expiresAt, daemon: identity };
  const create = { roomId: 'lobby', epoch: 3n };
  assert.equal(await codeOf(grant, 'createRoom', create), status.OK);
  assert.equal(await codeOf(grant, 'createRoom', { ...create, roomId: 'vault' }), status.PERMISSION_DENIED);
  for (const daemon of [
    { ...identity, incarnation: 'first' },
    { ...identity, daemonId: 'other' },
  ]) {
    assert.equal(await codeOf({ ...grant, daemon }, 'createRoom', create), status.FAILED_PRECONDITION);
    assert.equal(await codeOf({ ...grant, daemon }, 'getInfo', {}), status.FAILED_PRECONDITION);
  }
});

test("the control plane's token without a room asks who the daemon is, and does nothing else", async () => {
  const grant = { room: '', scopes: [''], expiresAt, daemon: identity };
  assert.equal(await codeOf(grant, 'getInfo', {}), status.OK);
  for (const { localName } of MediaDaemon.methods) {
    const method = localName as keyof typeof MediaDaemon.method;
    if (method !== 'getInfo')
      assert.equal(await codeOf(grant, method, { roomId: '' }), status.PERMISSION_DENIED, method);
  }
});
