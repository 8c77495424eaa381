import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { json } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { status } from '@grpc/grpc-js';
import { RoomClient } from '@mediasoup-server/backend-client';
import type { SignalingClient } from '@mediasoup-server/media-daemon/testing/SignalingClient';
import { accessToken, fleet, watching } from '../support/fleet.ts';
import { waitUntil } from '../support/waitUntil.ts';

test('a backend finds a room, sends commands to it, and watches it until it closes', async (t) => {
  const { rooms, join, stack } = await fleet(t, 2);
  await assert.rejects(rooms.commands.getRoom({ roomId: 'lobby' }), { code: 'ROOM_NOT_FOUND' });
  const { client: alice } = await join('alice');
  const { seen, until, ended } = watching(t, rooms);
  await visitUntil('the watch has begun', join, () => seen.length > 0);
  const { client: bob } = await join('bob');
  await until('peerJoined bob');
  const peers = (await rooms.peers('lobby')).map(({ peerId }) => peerId);
  assert.ok(peers.includes('alice') && peers.includes('bob'), String(peers));
  assert.deepEqual(await rooms.stats('lobby', 'alice'), []);
  await rooms.commands.sendNotification({ roomId: 'lobby', from: 'backend', dataJson: '"hi"' });
  assert.equal((await bob.notified('message')).data, 'hi');
  await assert.rejects(rooms.commands.closePeer({ roomId: 'lobby', peerId: 'nobody' }), { code: status.NOT_FOUND });
  await rooms.commands.closePeer({ roomId: 'lobby', peerId: 'bob', refuseFor: { seconds: 60n } });
  assert.equal(await bob.closed, 4000);
  await until('peerLeft bob');
  // The control plane learns of the ban with the next heartbeat, which is sent at once.
  const refusal = async () =>
    stack.assign('lobby', 'bob', stack.controlPlaneUrl, await accessToken('bob', 'lobby', {}));
  await t.waitFor(() => assert.rejects(refusal(), /403 .*removed/), { interval: 50, timeout: 60_000 });
  await rooms.commands.closeRoom({ roomId: 'lobby' });
  assert.equal(await alice.closed, 4000);
  await ended;
  assert.equal(seen.at(-1), 'roomClosed');
  const stranger = new RoomClient({ controlPlaneUrl: stack.controlPlaneUrl });
  await assert.rejects(stranger.commands.getRoom({ roomId: 'lobby' }), { status: 401 });
});

/** Lets visitors join and leave until a watch reports one of them: only then has its stream begun. */
async function visitUntil(
  what: string,
  join: (peerId: string) => Promise<{ client: SignalingClient }>,
  holds: () => boolean,
): Promise<void> {
  let visitors = 0;
  await waitUntil(what, async () => {
    const { client } = await join(`visitor-${visitors++}`);
    client.close();
    await client.closed;
    return holds();
  });
}

/** Runs an example of backend-client/examples; it ends with the test. */
function runExample(t: TestContext, name: string, args: readonly string[], token: string) {
  const file = fileURLToPath(new URL(`../../backend-client/examples/${name}.ts`, import.meta.url));
  const child = spawn(process.execPath, [file, ...args], {
    env: { ...process.env, ACCESS_TOKEN: token },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  t.after(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  const lines: string[] = [];
  createInterface(child.stdout).on('line', (line) => lines.push(line));
  return { lines, exited };
}

test('the example `removePeer` watches a room and removes a peer', async (t) => {
  const { stack, admin, join } = await fleet(t, 1);
  const { client: alice } = await join('alice');
  const { lines, exited } = runExample(t, 'removePeer', [stack.controlPlaneUrl, 'lobby', 'mallory'], admin);
  await visitUntil('the example prints a line', join, () => lines.length > 0);
  const { client: mallory } = await join('mallory');
  assert.deepEqual(await mallory.notified('error'), {
    code: 403,
    reason: 'not welcome',
    reasonCode: 'PEER_REMOVED',
  });
  assert.equal(await mallory.closed, 4000);
  alice.close();
  assert.deepEqual(await exited, [0, null]);
  assert.ok(lines.includes('removed mallory'));
  assert.equal(lines.at(-1), 'the room is over');
});

test('the example `webhooks` sends every event in order, also when the webhook fails at first', async (t) => {
  const { stack, admin, join } = await fleet(t, 1);
  const taken: { sequence?: string; roomClosed?: object; peerJoined?: { peerId: string } }[] = [];
  let calls = 0;
  const hook = createServer(async (request, response) => {
    const body = (await json(request)) as (typeof taken)[number];
    const fails = calls++ % 3 === 0;
    if (!fails) taken.push(body);
    response.statusCode = fails ? 500 : 204;
    response.end();
  });
  hook.listen(0, '127.0.0.1');
  await once(hook, 'listening');
  t.after(() => hook.close());
  const url = `http://127.0.0.1:${(hook.address() as AddressInfo).port}/`;
  const { client: alice } = await join('alice');
  const { exited } = runExample(t, 'webhooks', [stack.controlPlaneUrl, 'lobby', url], admin);
  await visitUntil('the webhook is called', join, () => taken.length > 0);
  await alice.request('leaveRoom');
  assert.deepEqual(await exited, [0, null]);
  assert.ok(taken.at(-1)?.roomClosed);
  // Protobuf's JSON leaves out a zero, which the room's first event has.
  const sequences = taken.map(({ sequence = 0 }) => Number(sequence));
  assert.deepEqual(
    sequences,
    sequences.map((_, index) => (sequences[0] ?? 0) + index),
  );
});
