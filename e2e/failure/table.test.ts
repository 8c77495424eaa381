import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { SignalingClient } from '@mediasoup-server/media-daemon/testing/SignalingClient';
import { failureTable } from '../support/failureTable.ts';
import { assertNoGap } from '../support/rtp.ts';
import { callInFleet, startTableFleet } from '../support/tableFleet.ts';

const A_SECOND_OF_PACKETS = 50;

const table = failureTable();
/** One fleet serves the tests that end no part of it: each has a room of its own. */
const fleet = await startTableFleet({ after });

test('a slow table slows assignments and nothing else', async (t) => {
  const { stack, store, metric } = fleet;
  const { roomId, daemonId, receiver, more, untilAssigned, report } = await callInFleet(t, fleet, table);
  t.after(() => store.relay.delay(0));
  store.relay.delay(300);
  const outage = await untilAssigned((to) => to === daemonId);
  const { daemonId: other } = await stack.assign('another', 'joiner');
  assert.ok(other);
  await more(2 * A_SECOND_OF_PACKETS);
  assertNoGap(receiver.received);
  assert.equal((await stack.assign(roomId, 'later')).daemonId, daemonId);
  assert.equal(await metric('control_plane_daemons_lost_total'), 0);
  await report('table 600 ms slower', `${outage} ms an assignment`);
});

test('a throttling table delays assignments and nothing else', async (t) => {
  const { stack, store, metric } = fleet;
  const { roomId, daemonId, receiver, more, untilAssigned, report } = await callInFleet(t, fleet, table);
  t.after(() => {
    store.throttle = 1;
  });
  store.throttle = Number.POSITIVE_INFINITY;
  const refused = await stack.askForAssignment(roomId, 'joiner');
  assert.equal(refused.status, 503);
  assert.match(refused.headers.get('retry-after') ?? '', /^\d+$/);
  await more(A_SECOND_OF_PACKETS);
  store.throttle = 2;
  const outage = await untilAssigned((to) => to === daemonId);
  store.throttle = 1;
  await more(A_SECOND_OF_PACKETS);
  assertNoGap(receiver.received);
  assert.equal((await stack.assign(roomId, 'later')).daemonId, daemonId);
  assert.equal(await metric('control_plane_daemons_lost_total'), 0);
  await report('table throttles all, then every second request', `while it throttles all, and ${outage} ms`);
});

test('a close report that races an assignment does not split the room', async (t) => {
  const { stack, daemons } = fleet;
  const { report } = await callInFleet(t, fleet, table);
  const times: number[] = [];
  for (let time = 0; time < 30; time++) {
    const { url, daemonId } = await stack.assign('door', 'alice');
    const alice = await SignalingClient.openUrl(url);
    await alice.request('joinRoom', { roomId: 'door', peerId: 'alice' });
    // Alice leaves last while Bob is being assigned.
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

for (const skew of [60_000, -60_000]) {
  test(`a control plane whose clock is off by ${skew} ms assigns to the same daemons`, async (t) => {
    const { stack, daemons } = fleet;
    const { roomId: ours, daemonId, receiver, more, report } = await callInFleet(t, fleet, table);
    const skewed = await stack.startControlPlane({
      NODE_OPTIONS: `--import=${import.meta.resolve('../support/skewedClock.ts')}`,
      CLOCK_SKEW_MS: String(skew),
    });
    const through = String(skewed.ready.url);
    let slowest = 0;
    for (const roomId of [ours, `new${skew}`]) {
      const since = performance.now();
      const { url, daemonId: to } = await stack.assign(roomId, 'joiner', through);
      if (roomId === ours) assert.equal(to, daemonId);
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

test('control planes that race through one table choose one owner', async (t) => {
  const { stack, daemons } = fleet;
  const { receiver, more, report } = await callInFleet(t, fleet, table);
  // Two hundred joiners may slow this machine: these suspect no daemon meanwhile.
  const patient = { CONTROL_PLANE_SUSPECT_AFTER_MS: '60000' };
  const racing = await Promise.all(Array.from({ length: 3 }, () => stack.startControlPlane(patient)));
  const urls = racing.map(({ ready }) => String(ready.url));
  const since = performance.now();
  const assignments = await Promise.all(
    Array.from({ length: 200 }, (_, peer) => stack.assign('race', `peer-${peer}`, urls[peer % urls.length])),
  );
  const took = Math.round(performance.now() - since);
  assert.equal(new Set(assignments.map(({ daemonId, epoch }) => `${daemonId} ${epoch}`)).size, 1);
  assert.ok(daemons.has(assignments[0]?.daemonId ?? ''));
  await more(A_SECOND_OF_PACKETS);
  assertNoGap(receiver.received);
  await report('three control planes race for one room, 200 joiners', `${took} ms for all`);
});
