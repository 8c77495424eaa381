import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { SignalingClient } from '@mediasoup-server/media-daemon/testing/SignalingClient';
import type { Assignment } from '@mediasoup-server/proto/http';
import { failureTable, leftOver } from '../support/failureTable.ts';
import { assertNoGap, callOf } from '../support/rtp.ts';
import { SharedStore } from '../support/SharedStore.ts';
import { type Daemon, nextTick, Stack } from '../support/stack.ts';
import { TcpProxy } from '../support/TcpProxy.ts';
import { waitUntil } from '../support/waitUntil.ts';

/** How long the control plane and the table are away; `make soak` has them away for longer. */
const OUTAGE_MS = Number(process.env.OUTAGE_MS ?? 30_000);

const quick = {
  // Shorter than by default, so that a daemon's silence is noticed soon.
  CONTROL_PLANE_HEARTBEAT_INTERVAL_MS: '200',
  CONTROL_PLANE_SUSPECT_AFTER_MS: '1000',
  // No browser comes, so the demo page need not have been built.
  CONTROL_PLANE_STATIC_DIR: '',
};
const A_SECOND_OF_PACKETS = 50;

const table = failureTable();

/** Control plane, shared tables, and a call between two peers on one of two daemons. */
async function callInAFleet(t: TestContext, settings: Record<string, string> = {}) {
  const store = await SharedStore.start(t);
  const stack = await Stack.start(t, { ...quick, ...store.settings, ...settings }, 'tables');
  const relays = new Map<string, { http: TcpProxy; grpc: TcpProxy }>();
  const daemons = new Map<string, Daemon>();
  for (const id of ['daemon-a', 'daemon-b', 'daemon-c']) {
    const http = await TcpProxy.start(t, Number(new URL(stack.controlPlaneUrl).port));
    const grpc = await TcpProxy.start(t);
    const daemon = await stack.startDaemon(id, {
      MEDIA_DAEMON_CONTROL_PLANE_URL: `http://127.0.0.1:${http.port}`,
      MEDIA_DAEMON_GRPC_ADDRESS: `127.0.0.1:${grpc.port}`,
      MEDIA_DAEMON_PING_INTERVAL_MS: '60000',
      MEDIA_DAEMON_MOVE_DEADLINE_MS: '1000',
    });
    grpc.to = Number(daemon.ready.grpcPort);
    daemons.set(id, daemon);
    relays.set(id, { http, grpc });
  }
  const { daemonId } = await stack.assign('lobby', 'first');
  const serving = daemons.get(daemonId);
  const relay = relays.get(daemonId);
  assert.ok(serving && relay);
  const { receiver } = await callOf(t, serving.url, 'lobby');
  const more = async (packets: number) => {
    const enough = receiver.received.length + packets;
    await waitUntil(`${packets} packets have come`, () => receiver.received.length >= enough);
  };
  /** Milliseconds until a joiner is sent to the daemon that the condition wants. */
  const untilAssigned = async (wanted: (to: string) => boolean) => {
    const since = performance.now();
    for (;;) {
      const to = await stack.assign('lobby', 'joiner').then(
        ({ daemonId: named }) => named,
        () => undefined,
      );
      if (to !== undefined && wanted(to)) return Math.round(performance.now() - since);
      await nextTick();
    }
  };
  const metric = async (name: string) => {
    const text = await (await fetch(`http://127.0.0.1:${stack.ready.metricsPort}/metrics`)).text();
    return Number(new RegExp(`^${name} (\\d+)`, 'm').exec(text)?.[1] ?? 0);
  };
  /** Adds a row to the table: what media and new joiners saw, and which daemons have the room besides its owner. */
  const report = async (done: string, joiners: string) => {
    const left = await leftOver(t, stack, 'lobby', daemons);
    const { received } = receiver;
    const lost = received.reduce(
      (sum, now, at) => sum + (at > 0 ? (now - (received[at - 1] ?? 0) - 1) & 0xffff : 0),
      0,
    );
    table.add(done, `${lost} of ${received.length} packets lost`, joiners, left);
  };
  return { stack, store, daemons, daemonId, serving, relay, receiver, more, untilAssigned, metric, report };
}

/** Waits until the daemon has none of the room's peers and is registered again. */
async function fenced(daemon: Daemon): Promise<void> {
  const metrics = async () => (await fetch(`http://127.0.0.1:${daemon.ready.metricsPort}/metrics`)).text();
  await waitUntil('the daemon has no room', async () => /^media_daemon_rooms 0$/m.test(await metrics()));
}

test('a daemon that is frozen loses its rooms, and is fenced when it is thawed', async (t) => {
  const { stack, serving, daemonId, receiver, more, untilAssigned, report } = await callInAFleet(t);
  const looker = await SignalingClient.join(serving.url, 'lobby', 'looker');
  serving.process.kill('SIGSTOP');
  const outage = await untilAssigned((to) => to !== daemonId);
  await more(A_SECOND_OF_PACKETS);
  assertNoGap(receiver.received);
  serving.process.kill('SIGCONT');
  assert.equal((await looker.notified('reconnect')).reason, 'fenced');
  // Those who do not move are cut off at the deadline.
  assert.equal(await looker.closed, 1012);
  await fenced(serving);
  assert.notEqual((await stack.assign('lobby', 'later')).daemonId, daemonId);
  await report('daemon frozen (SIGSTOP), later thawed', `${outage} ms`);
});

test('a daemon that is cut off from the control plane serves its peers, and is fenced when it is back', async (t) => {
  const { stack, serving, relay, daemonId, receiver, more, untilAssigned, report } = await callInAFleet(t);
  const looker = await SignalingClient.join(serving.url, 'lobby', 'looker');
  relay.http.cut();
  relay.grpc.cut();
  const outage = await untilAssigned((to) => to !== daemonId);
  await more(A_SECOND_OF_PACKETS);
  await looker.request('ping');
  assertNoGap(receiver.received);
  relay.http.heal();
  relay.grpc.heal();
  assert.equal((await looker.notified('reconnect')).reason, 'fenced');
  // Those who do not move are cut off at the deadline.
  assert.equal(await looker.closed, 1012);
  await fenced(serving);
  assert.notEqual((await stack.assign('lobby', 'later')).daemonId, daemonId);
  await report('daemon cut off from the control plane', `${outage} ms`);
});

test('while control plane and table are away calls, resumes and leaves go on; then all agrees again', async (t) => {
  const { stack, store, serving, daemons, daemonId, receiver, more, untilAssigned, metric, report } =
    await callInAFleet(t);
  const looker = await SignalingClient.open(serving.url, 'lobby', 'looker');
  const { sessionId } = await looker.request('joinRoom', { roomId: 'lobby', peerId: 'looker' });
  const leaver = await SignalingClient.join(serving.url, 'lobby', 'leaver');
  store.relay.cut();
  const since = performance.now();
  const isReady = async () => (await fetch(`${stack.controlPlaneUrl}/ready`)).status !== 503;
  await waitUntil('the control plane is not ready', async () => !(await isReady()));
  assert.equal((await fetch(`${stack.controlPlaneUrl}/health`)).status, 200);
  stack.controlPlane.kill('SIGKILL');
  looker.socket.terminate();
  const again = await SignalingClient.open(serving.url, 'lobby', 'looker');
  const joining = { roomId: 'lobby', peerId: 'looker', sessionId };
  assert.equal((await again.request('joinRoom', joining)).resumed, true);
  await leaver.request('leaveRoom');
  await again.notified('peerLeft', ({ peerId }) => peerId === 'leaver');
  // A room that is closed meanwhile, and one that is opened.
  const alone = await SignalingClient.join(serving.url, 'short', 'alone');
  alone.close();
  const opened = await SignalingClient.join(serving.url, 'opened', 'opener');
  while (performance.now() - since < OUTAGE_MS) await more(A_SECOND_OF_PACKETS);
  assertNoGap(receiver.received);

  store.relay.heal();
  await stack.restartControlPlane();
  const outage = await untilAssigned(() => true);
  assert.equal((await stack.assign('lobby', 'later')).daemonId, daemonId);
  const status = async (roomId: string) => (await fetch(`${stack.controlPlaneUrl}/rooms/${roomId}`)).status;
  await waitUntil('the room is known again', async () => (await status('opened')) === 200);
  assert.equal((await stack.assign('opened', 'second')).daemonId, daemonId);
  assert.equal(await status('short'), 404);
  assert.equal(await metric('control_plane_daemons_lost_total'), 0, 'nobody is fenced');
  for (const { process: running } of daemons.values()) assert.equal(running.exitCode, null);
  await Promise.all([again, opened].map((peer) => peer.request('ping')));
  await more(A_SECOND_OF_PACKETS);
  assertNoGap(receiver.received);
  await report(`control plane and table away for ${Math.round(OUTAGE_MS / 1000)} s`, `the time away and ${outage} ms`);
});

test('a table that was emptied fills again from the daemons', async (t) => {
  const { stack, store, daemonId, receiver, more, untilAssigned, report } = await callInAFleet(t);
  const before = await stack.assign('lobby', 'before');
  await store.empty();
  await stack.createTables();
  const status = async () => (await fetch(`${stack.controlPlaneUrl}/rooms/lobby`)).status;
  const since = performance.now();
  await waitUntil('the room is known again', async () => (await status()) === 200);
  const outage = Math.round(performance.now() - since);
  await untilAssigned((to) => to === daemonId);
  assert.equal((await stack.assign('lobby', 'later')).epoch, before.epoch);
  await more(A_SECOND_OF_PACKETS);
  assertNoGap(receiver.received);
  await report('table emptied', `${outage} ms`);
});

test('a slow table makes assignments slow, and nothing else', async (t) => {
  const { stack, store, daemonId, receiver, more, untilAssigned, metric, report } = await callInAFleet(t);
  store.relay.delay(300);
  const outage = await untilAssigned((to) => to === daemonId);
  const { daemonId: other } = await stack.assign('another', 'joiner');
  assert.ok(other);
  await more(2 * A_SECOND_OF_PACKETS);
  assertNoGap(receiver.received);
  assert.equal((await stack.assign('lobby', 'later')).daemonId, daemonId);
  assert.equal(await metric('control_plane_daemons_lost_total'), 0);
  await report('table 600 ms slower', `${outage} ms an assignment`);
});

test('a table that throttles refuses assignments for a moment, and nothing else', async (t) => {
  const { stack, store, daemonId, receiver, more, untilAssigned, metric, report } = await callInAFleet(t);
  store.throttle = Number.POSITIVE_INFINITY;
  const refused = await fetch(`${stack.controlPlaneUrl}/rooms/lobby/assignments`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ peerId: 'joiner' }),
  });
  assert.equal(refused.status, 503);
  assert.match(refused.headers.get('retry-after') ?? '', /^\d+$/);
  await more(A_SECOND_OF_PACKETS);
  store.throttle = 2;
  const outage = await untilAssigned((to) => to === daemonId);
  store.throttle = 1;
  await more(A_SECOND_OF_PACKETS);
  assertNoGap(receiver.received);
  assert.equal((await stack.assign('lobby', 'later')).daemonId, daemonId);
  assert.equal(await metric('control_plane_daemons_lost_total'), 0);
  await report('table throttles all, then every second request', `while it throttles all, and ${outage} ms`);
});

for (const skew of [60_000, -60_000]) {
  test(`a control plane whose clock is wrong by ${skew} ms assigns to the same daemons`, async (t) => {
    const { stack, daemons, daemonId, receiver, more, report } = await callInAFleet(t);
    const skewed = await stack.startControlPlane({
      NODE_OPTIONS: `--import=${import.meta.resolve('../support/skewedClock.ts')}`,
      CLOCK_SKEW_MS: String(skew),
    });
    const through = String(skewed.ready.url);
    let slowest = 0;
    for (const roomId of ['lobby', 'new']) {
      const since = performance.now();
      const { url, daemonId: to } = await stack.assign(roomId, 'joiner', through);
      if (roomId === 'lobby') assert.equal(to, daemonId);
      else assert.ok(daemons.has(to));
      const joiner = await SignalingClient.openUrl(url);
      await joiner.request('joinRoom', { roomId, peerId: 'joiner' });
      slowest = Math.max(slowest, Math.round(performance.now() - since));
      assert.equal((await stack.assign(roomId, 'other')).daemonId, to);
    }
    await more(A_SECOND_OF_PACKETS);
    assertNoGap(receiver.received);
    await report(`a second control plane, its clock wrong by ${skew / 1000} s`, `${slowest} ms to join`);
  });
}

test('control planes that race through one table name one owner', async (t) => {
  // However slow two hundred joiners at once make this machine, nobody is taken for dead: that would be another race.
  const patient = { CONTROL_PLANE_SUSPECT_AFTER_MS: '60000' };
  const { stack, daemons, receiver, more, report } = await callInAFleet(t, patient);
  const others = await Promise.all([stack.startControlPlane(), stack.startControlPlane()]);
  const urls = [stack.controlPlaneUrl, ...others.map(({ ready }) => String(ready.url))];
  const since = performance.now();
  const assign = (peer: number) => stack.assign('race', `peer-${peer}`, urls[peer % urls.length]);
  const asked = await Promise.allSettled(Array.from({ length: 200 }, (_, peer) => assign(peer)));
  const assignments: Assignment[] = [];
  for (const [peer, answer] of asked.entries()) {
    // Whom a slow machine did not answer in time asks again, as clients do.
    if (answer.status === 'rejected') assert.match(String(answer.reason), /^Error: assignment: 503 /);
    assignments.push(answer.status === 'fulfilled' ? answer.value : await assign(peer));
  }
  const took = Math.round(performance.now() - since);
  assert.equal(new Set(assignments.map(({ daemonId, epoch }) => `${daemonId} ${epoch}`)).size, 1);
  assert.ok(daemons.has(assignments[0]?.daemonId ?? ''));
  await more(A_SECOND_OF_PACKETS);
  assertNoGap(receiver.received);
  await report('three control planes race for one room, 200 joiners', `${took} ms for all`);
});

test('a close report that races an assignment splits no room', async (t) => {
  const { stack, daemons, report } = await callInAFleet(t);
  const times: number[] = [];
  for (let time = 0; time < 30; time++) {
    const { url, daemonId } = await stack.assign('door', 'alice');
    const alice = await SignalingClient.openUrl(url);
    await alice.request('joinRoom', { roomId: 'door', peerId: 'alice' });
    // She is the last to leave while Bob is on his way.
    const since = performance.now();
    const assigned = stack.assign('door', 'bob');
    alice.close();
    const bobs = await assigned;
    const bob = await SignalingClient.openUrl(bobs.url);
    await bob.request('joinRoom', { roomId: 'door', peerId: 'bob' });
    times.push(Math.round(performance.now() - since));
    const carols = await stack.assign('door', 'carol');
    assert.equal(carols.daemonId, bobs.daemonId, `after ${daemonId}`);
    const carol = await SignalingClient.openUrl(carols.url);
    const { peers } = await carol.request('joinRoom', { roomId: 'door', peerId: 'carol' });
    assert.deepEqual(peers, [{ peerId: 'bob', appData: {} }]);
    bob.close();
    carol.close();
    await Promise.all([bob.closed, carol.closed]);
  }
  assert.equal(daemons.size, 3);
  await report('last leave and an assignment at once, 30 times', `${Math.max(...times)} ms to join at most`);
});
