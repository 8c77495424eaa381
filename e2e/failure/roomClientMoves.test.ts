import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as pathOf } from 'node:path';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { fleet, watching } from '../support/fleet.ts';
import { waitForSuccess } from '../support/waitUntil.ts';

test('a backend follows a room from a drained daemon and from a killed one', async (t) => {
  const { rooms, join, running } = await fleet(t, 3);
  const { until, seen } = watching(t, rooms);
  let { client: alice, daemonId } = await join('alice');
  await until('peerJoined alice');
  running.get(daemonId)?.process.kill('SIGTERM');
  await alice.notified('reconnect');
  alice.close();
  const moved = await join('alice');
  assert.notEqual(moved.daemonId, daemonId);
  ({ client: alice, daemonId } = moved);
  await rooms.commands.getRoom({ roomId: 'lobby' });
  await join('bob');
  await until('peerJoined bob');

  running.get(daemonId)?.process.kill('SIGKILL');
  const { client: carol, daemonId: last } = await waitForSuccess('Carol joins on another daemon', () => join('carol'));
  assert.notEqual(last, daemonId);
  await until('peerJoined carol');
  const found = await rooms.peers('lobby');
  assert.ok(found.some(({ peerId }) => peerId === 'carol'));
  assert.ok(seen.includes('missed'), 'a new daemon does not know what the former one told');
  carol.close();
});

test('a backend gets roomClosed from a daemon that stops without a drain, and follows the room', async (t) => {
  const { rooms, join, running } = await fleet(t, 2);
  const { until, seen } = watching(t, rooms);
  const { daemonId } = await join('alice');
  await until('peerJoined alice');
  running.get(daemonId)?.process.kill('SIGINT');
  await until('roomClosed');
  assert.deepEqual(seen.slice(-2), ['peerLeft alice', 'roomClosed']);
  const { daemonId: other } = await waitForSuccess('Bob joins on another daemon', () => join('bob'));
  assert.notEqual(other, daemonId);
  await until('peerJoined bob');
});

test('a watch from a cursor gets what happened meanwhile, and nothing twice', async (t) => {
  const { rooms, join } = await fleet(t, 1);
  const first = watching(t, rooms);
  await join('alice');
  await first.until('peerJoined alice');
  const cursor = await first.leave();
  await join('bob');
  const second = watching(t, rooms, 'lobby', { cursor });
  await join('carol');
  await second.until('peerJoined carol');
  assert.deepEqual(second.seen, ['peerJoined bob', 'peerJoined carol']);
});

test('a slow backend gets every event of a room, also after the room has closed', async (t) => {
  const { rooms, join } = await fleet(t, 1);
  await join('alice');
  const stream = rooms.watch('lobby', { cursor: 'of nothing' });
  assert.equal((await stream.next()).value?.is, 'missed');
  await rooms.commands.closeRoom({ roomId: 'lobby' });
  const gone = () => assert.rejects(rooms.commands.getRoom({ roomId: 'lobby' }), { code: 'ROOM_NOT_FOUND' });
  await t.waitFor(gone, { interval: 50, timeout: 60_000 });
  const told: unknown[] = [];
  for await (const watched of stream) if (watched.is === 'event') told.push(watched.event.kind.case);
  assert.deepEqual(told, ['roomCreated', 'peerJoined', 'peerLeft', 'roomClosed']);
});

test('a message whose answer is lost is not sent again, and the channel reconnects', async (t) => {
  const { rooms, join, running } = await fleet(t, 1);
  const { client: alice, daemonId } = await join('alice');
  const send = (text: string) =>
    rooms.commands.sendNotification({ roomId: 'lobby', from: 'backend', dataJson: JSON.stringify(text) });
  await send('before');
  assert.equal((await alice.notified('message')).data, 'before');
  const relay = running.get(daemonId)?.relay;
  relay?.delay(300);
  const sending = assert.rejects(send('once'), { code: status.UNAVAILABLE });
  assert.equal((await alice.notified('message')).data, 'once');
  relay?.reset();
  await sending;
  relay?.delay(0);
  await send('after');
  assert.equal((await alice.notified('message')).data, 'after');
});

test('a backend gets a new command token after the signing key was rotated', async (t) => {
  const { rooms, join, stack } = await fleet(t, 1);
  await join('alice');
  await rooms.commands.getRoom({ roomId: 'lobby' });
  const folder = mkdtempSync(pathOf(tmpdir(), 'key-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const keyFile = pathOf(folder, 'key.pem');
  writeFileSync(keyFile, generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }), {
    mode: 0o600,
  });
  const ended = once(stack.controlPlane, 'exit');
  stack.controlPlane.kill('SIGTERM');
  await ended;
  await stack.restartControlPlane({ CONTROL_PLANE_ASSIGNMENT_KEY_FILE: keyFile });
  // The token of a new peer shows the new key to the daemon.
  await join('bob');
  assert.equal((await rooms.peers('lobby')).length, 2);
});
