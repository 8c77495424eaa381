import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Client, credentials } from '@grpc/grpc-js';
import { serviceCalls } from '@mediasoup-server/backend-client/calls';
import { MediaDaemon } from '@mediasoup-server/proto/daemon';
import { opusRtpParameters } from '../testing/opus.ts';
import { SignalingClient } from '../testing/SignalingClient.ts';
import { testDaemon } from '../testing/testDaemon.ts';

/** A daemon with two workers, and its commands. */
async function twoWorkers(t: TestContext) {
  const daemon = await testDaemon(t, { MEDIA_DAEMON_WORKERS: '2' });
  const client = new Client(`127.0.0.1:${daemon.grpcPort}`, credentials.createInsecure());
  t.after(() => client.close());
  return { ...daemon, commands: serviceCalls(MediaDaemon, client) };
}

test('rooms that are created one after the other go to the workers round-robin', async (t) => {
  const { commands } = await twoWorkers(t);
  for (const roomId of ['a', 'b', 'c', 'd']) await commands.createRoom({ roomId });
  const { workers, rooms } = await commands.getInfo({});
  assert.deepEqual(
    workers.map((worker) => worker.rooms),
    [2, 2],
  );
  assert.equal(rooms, 4);
  assert.notEqual(workers[0]?.rtcPort, workers[1]?.rtcPort);
});

test('S39 a worker, when it is killed, is replaced; only the peers of its rooms are asked to reconnect', async (t) => {
  const { commands, url, metricsPort } = await twoWorkers(t);
  const alice = await SignalingClient.join(url, 'struck', 'alice');
  await alice.request('createWebRtcTransport', { direction: 'send' });
  await alice.request('produce', { kind: 'audio', rtpParameters: opusRtpParameters() });
  const bob = await SignalingClient.join(url, 'struck', 'bob');
  await bob.notified('newProducer');
  const before = (await commands.getInfo({})).workers;
  const killed = before.find((worker) => worker.rooms === 1)?.pid;
  assert.ok(killed);
  const carol = await SignalingClient.join(url, 'spared', 'carol');
  await carol.request('createWebRtcTransport', { direction: 'send' });

  process.kill(killed, 'SIGKILL');
  for (const peer of [alice, bob]) {
    assert.deepEqual(await peer.notified('reconnect'), { reason: 'worker', deadlineMs: 0 });
    assert.equal(await peer.closed, 1012);
    assert.deepEqual(
      peer.unread.filter((name) => name !== 'peerJoined'),
      [],
      'nothing else of what ended with the worker',
    );
  }
  await t.waitFor(
    async () => {
      const { workers } = await commands.getInfo({});
      assert.equal(workers.length, 2);
      assert.ok(workers.every(({ pid }) => pid !== killed));
    },
    { interval: 20, timeout: 60_000 },
  );
  const after = (await commands.getInfo({})).workers;
  const survivor = before.find(({ pid }) => pid !== killed)?.pid;
  assert.ok(after.some(({ pid, rooms }) => pid === survivor && rooms === 1));

  await carol.request('ping');
  const { producerId } = await carol.request('produce', { kind: 'audio', rtpParameters: opusRtpParameters() });
  assert.ok(producerId);
  assert.ok(!carol.unread.includes('reconnect'));

  const again = await SignalingClient.join(url, 'struck', 'alice');
  await again.request('createWebRtcTransport', { direction: 'send' });
  await again.request('produce', { kind: 'audio', rtpParameters: opusRtpParameters() });
  const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  assert.match(metrics, /^media_daemon_worker_deaths_total 1$/m);
});

test('S63 a recorded room whose worker is killed is rebuilt on another worker and keeps its epoch', async (t) => {
  const { commands, url } = await twoWorkers(t);
  await commands.createRoom({ roomId: 'room', epoch: 3n });
  const alice = await SignalingClient.join(url, 'room', 'alice');
  const { workers } = await commands.getInfo({});
  const { pid } = workers.find(({ rooms }) => rooms === 1) ?? {};
  assert.ok(pid);
  process.kill(pid, 'SIGKILL');
  assert.equal((await alice.notified('reconnect')).reason, 'worker');
  const again = await t.waitFor(() => commands.getRoom({ roomId: 'room' }), { interval: 20, timeout: 60_000 });
  assert.deepEqual([again.room?.epoch, again.room?.peers], [3n, []]);
  const { workers: now } = await commands.getInfo({});
  assert.ok(now.every((worker) => worker.pid !== pid));
});

test('a room that is requested while the only worker is replaced is created on the new one', async (t) => {
  const { url, grpcPort } = await testDaemon(t);
  const client = new Client(`127.0.0.1:${grpcPort}`, credentials.createInsecure());
  t.after(() => client.close());
  const commands = serviceCalls(MediaDaemon, client);
  const pid = (await commands.getInfo({})).workers[0]?.pid;
  assert.ok(pid);
  const alice = await SignalingClient.join(url, 'room', 'alice');
  process.kill(pid, 'SIGKILL');
  await alice.closed;
  await SignalingClient.join(url, 'room', 'bob');
});

test('`startDaemon` with a worker binary that does not run rejects and says how to get one', async (t) => {
  await assert.rejects(
    testDaemon(t, { MEDIA_DAEMON_WORKER_BIN: '/bin/false' }),
    /the mediasoup worker \/bin\/false does not start: .*MEDIASOUP_WORKER_BIN/,
  );
});

test('a worker that is alive but does not answer is killed and replaced', async (t) => {
  const { url, grpcPort, metricsPort } = await testDaemon(t, { MEDIA_DAEMON_WORKER_TIMEOUT_MS: '3000' });
  const client = new Client(`127.0.0.1:${grpcPort}`, credentials.createInsecure());
  t.after(() => client.close());
  const pidsOf = async () => (await serviceCalls(MediaDaemon, client).getInfo({})).workers.map(({ pid }) => pid);
  const pid = (await pidsOf())[0] ?? assert.fail('there is no worker');
  const alice = await SignalingClient.join(url, 'room', 'alice');
  process.kill(pid, 'SIGSTOP');
  const stuck = alice.ask('createWebRtcTransport', { direction: 'send' });
  stuck.catch(() => {});
  assert.deepEqual(await alice.notified('reconnect'), { reason: 'worker', deadlineMs: 0 });
  assert.equal((await stuck).errorCode, 503);
  await t.waitFor(() => SignalingClient.join(url, 'room', 'bob'), { interval: 20, timeout: 60_000 });
  assert.ok(!(await pidsOf()).includes(pid));
  // A busy machine may also silence the replacement for 3 s, which is then killed as well.
  const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  assert.match(metrics, /^media_daemon_worker_deaths_total [1-9]\d*$/m);
});
