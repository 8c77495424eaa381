import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { SignalingClient } from '@mediasoup-server/media-daemon/testing/SignalingClient';
import { failureTable } from '../support/failureTable.ts';
import { assertNoGap } from '../support/rtp.ts';
import { type Daemon, endOfFile, metricsOf } from '../support/stack.ts';
import { callInFleet, SUSPICIOUS, startTableFleet } from '../support/tableFleet.ts';
import { waitUntil } from '../support/waitUntil.ts';

/** How long control plane and table are away. `make soak` sets longer. */
const OUTAGE_MS = Number(process.env.OUTAGE_MS ?? 10_000);
const A_SECOND_OF_PACKETS = 50;

const table = failureTable();

/** One fleet serves the tests of a silent daemon, another one those without a table: each test has a room of its own. */
const [suspicious, patient] = await Promise.all([
  startTableFleet(endOfFile(), SUSPICIOUS),
  startTableFleet(endOfFile()),
]);

/** A call on one of three daemons, of which all work again at the end of the test. */
async function callIn(t: TestContext, fleet: typeof patient) {
  return { ...fleet, ...(await callInFleet(t, fleet, table)) };
}

/** Waits until the daemon has none of the room's peers and is registered again. */
async function fenced(daemon: Daemon): Promise<void> {
  await waitUntil('the daemon has no room', async () => /^media_daemon_rooms 0$/m.test(await metricsOf(daemon)));
}

test('a frozen daemon loses its rooms and is fenced when it thaws', async (t) => {
  const { roomId, stack, serving, daemonId, receiver, more, untilAssigned, report } = await callIn(t, suspicious);
  const looker = await SignalingClient.join(serving.url, roomId, 'looker');
  serving.process.kill('SIGSTOP');
  const outage = await untilAssigned((to) => to !== daemonId);
  await more(A_SECOND_OF_PACKETS);
  assertNoGap(receiver.received);
  serving.process.kill('SIGCONT');
  assert.equal((await looker.notified('reconnect')).reason, 'fenced');
  // Peers that do not move are disconnected at the deadline.
  assert.equal(await looker.closed, 1012);
  await fenced(serving);
  assert.notEqual((await stack.assign(roomId, 'later')).daemonId, daemonId);
  await report('daemon frozen (SIGSTOP), later thawed', `${outage} ms`);
});

test('a daemon cut off from the control plane serves its peers and is fenced when it is back', async (t) => {
  const { roomId, stack, serving, relay, daemonId, receiver, more, untilAssigned, report } = await callIn(
    t,
    suspicious,
  );
  const looker = await SignalingClient.join(serving.url, roomId, 'looker');
  relay.http.cut();
  relay.grpc.cut();
  const outage = await untilAssigned((to) => to !== daemonId);
  await more(A_SECOND_OF_PACKETS);
  await looker.request('ping');
  assertNoGap(receiver.received);
  relay.http.heal();
  relay.grpc.heal();
  assert.equal((await looker.notified('reconnect')).reason, 'fenced');
  // Peers that do not move are disconnected at the deadline.
  assert.equal(await looker.closed, 1012);
  await fenced(serving);
  assert.notEqual((await stack.assign(roomId, 'later')).daemonId, daemonId);
  await report('daemon cut off from the control plane', `${outage} ms`);
});

test('calls, resumes and leaves continue without control plane and table, and the table agrees afterwards', async (t) => {
  const { roomId, stack, store, serving, daemons, daemonId, receiver, more, untilAssigned, metric, report } =
    await callIn(t, patient);
  const looker = await SignalingClient.open(serving.url, roomId, 'looker');
  const { sessionId } = await looker.request('joinRoom', { roomId, peerId: 'looker' });
  const leaver = await SignalingClient.join(serving.url, roomId, 'leaver');
  store.relay.cut();
  const isReady = async () => (await fetch(`${stack.controlPlaneUrl}/ready`)).status !== 503;
  await waitUntil('the control plane is not ready', async () => !(await isReady()));
  assert.equal((await fetch(`${stack.controlPlaneUrl}/health`)).status, 200);
  stack.controlPlane.kill('SIGKILL');
  looker.socket.terminate();
  const again = await SignalingClient.open(serving.url, roomId, 'looker');
  const joining = { roomId, peerId: 'looker', sessionId };
  assert.equal((await again.request('joinRoom', joining)).resumed, true);
  await leaver.request('leaveRoom');
  await again.notified('peerLeft', ({ peerId }) => peerId === 'leaver');
  // One room closes meanwhile, and one opens.
  const alone = await SignalingClient.join(serving.url, 'short', 'alone');
  alone.close();
  const opened = await SignalingClient.join(serving.url, 'opened', 'opener');
  for (let second = 0; second < OUTAGE_MS / 1000; second++) await more(A_SECOND_OF_PACKETS);
  assertNoGap(receiver.received);

  store.relay.heal();
  await stack.restartControlPlane();
  const outage = await untilAssigned(() => true);
  assert.equal((await stack.assign(roomId, 'later')).daemonId, daemonId);
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

test('the daemons fill an emptied table again', async (t) => {
  const { roomId, stack, store, daemonId, receiver, more, untilAssigned, report } = await callIn(t, patient);
  const before = await stack.assign(roomId, 'before');
  await store.empty();
  await stack.createTables();
  const status = async () => (await fetch(`${stack.controlPlaneUrl}/rooms/${roomId}`)).status;
  const since = performance.now();
  await waitUntil('the room is known again', async () => (await status()) === 200);
  const outage = Math.round(performance.now() - since);
  await untilAssigned((to) => to === daemonId);
  assert.equal((await stack.assign(roomId, 'later')).epoch, before.epoch);
  await more(A_SECOND_OF_PACKETS);
  assertNoGap(receiver.received);
  await report('table emptied', `${outage} ms`);
});
