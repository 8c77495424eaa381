import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { opusRtpParameters } from '../testing/opus.ts';
import { SignalingClient } from '../testing/SignalingClient.ts';
import { testDaemon } from '../testing/testDaemon.ts';

/** How long a test keeps the daemon's event loop busy at a time, ms. */
const BUSY_MS = 100;

/** A daemon and a way to read one of its metrics, by its name and labels. */
async function measuredDaemon(t: TestContext, environment: Record<string, string> = {}) {
  const daemon = await testDaemon(t, environment);
  const scrape = async () => (await fetch(`http://127.0.0.1:${daemon.metricsPort}/metrics`)).text();
  const read = async (name: string) => Number((await scrape()).split(`\nmedia_daemon_${name} `)[1]?.split('\n')[0]);
  const until = (name: string, isRight: (value: number) => boolean) =>
    t.waitFor(
      async () => {
        const value = await read(name);
        assert.ok(isRight(value), `${name} is ${value}`);
      },
      { interval: 20, timeout: 120_000 },
    );
  return { daemon, scrape, read, until };
}

test('joins, requests and open objects are counted and timed, without ids in labels', async (t) => {
  const { daemon, scrape, read, until } = await measuredDaemon(t);
  const [roomId, peerId] = ['a-room-of-its-own', 'a-peer-of-its-own'];
  const client = await SignalingClient.open(daemon.url, roomId, peerId);
  const joining = { roomId, peerId, transports: ['send'] };
  const { sessionId } = await client.request('joinRoom', joining);
  const produce = { kind: 'audio', rtpParameters: opusRtpParameters() };
  const { producerId } = await client.request('produce', produce);
  await client.ask('a-method-of-its-own');
  client.socket.terminate();
  const again = await SignalingClient.open(daemon.url, roomId, peerId);
  assert.equal((await again.request('joinRoom', { ...joining, sessionId })).resumed, true);
  assert.equal(await read('join_seconds_count{session="new"}'), 1);
  assert.equal(await read('join_seconds_count{session="resumed"}'), 1);
  assert.ok((await read('join_seconds_sum{session="new"}')) > 0);
  assert.equal(await read('request_seconds_count{method="joinRoom"}'), 2);
  assert.equal(await read('requests_total{method="produce",code="200"}'), 1);
  assert.equal(await read('requests_total{method="unknown",code="404"}'), 1);
  assert.deepEqual(await Promise.all(['rooms', 'peers', 'producers', 'sockets', 'workers'].map(read)), [1, 1, 1, 1, 1]);
  const all = await scrape();
  for (const id of [roomId, peerId, producerId, sessionId, 'a-method-of-its-own']) assert.ok(!all.includes(id), id);
  again.close();
  await until('rooms_closed_total{end="empty"}', (count) => count === 1);
});

test('a worker that works is seen in its CPU time and in the load', async (t) => {
  const { daemon, read, until } = await measuredDaemon(t, {
    MEDIA_DAEMON_WORKERS: '2',
    MEDIA_DAEMON_IP_SOCKETS_PER_SECOND: '1000000',
  });
  await until('worker_cpu_seconds_total{worker="0"}', (seconds) => seconds > 0);
  const before = await read('worker_cpu_seconds_total{worker="1"}');
  let seen = false;
  const busy = (async () => {
    // Rooms go to the workers round-robin, so that both workers have some.
    for (let index = 0; !seen; index++) {
      const client = await SignalingClient.join(daemon.url, `room ${index}`, 'peer');
      client.close();
      await client.closed;
    }
  })();
  await until('worker_cpu_seconds_total{worker="1"}', (seconds) => seconds > before);
  await until('worker_cpu_ratio', (share) => share > 0);
  seen = true;
  await busy;
});

test('an event loop that is late is seen, and one that is in time is not taken for late', async (t) => {
  const { until } = await measuredDaemon(t);
  // Busy all the time, the loop delays an event by this time. Other processes delay a loop that is in time by far less.
  const isLate = (seconds: number) => seconds > BUSY_MS / 1000 / 2;
  // The daemon runs in this process.
  const busy = setInterval(() => {
    const end = performance.now() + BUSY_MS;
    while (performance.now() < end);
  }, 1);
  t.after(() => clearInterval(busy));
  await until('event_loop_delay_seconds', isLate);
  clearInterval(busy);
  await until('event_loop_delay_seconds', (seconds) => !isLate(seconds));
});

test('a drain reports the time left until its deadline', async (t) => {
  const { daemon, read } = await measuredDaemon(t, { MEDIA_DAEMON_DRAIN_DEADLINE_MS: '60000' });
  const client = await SignalingClient.join(daemon.url, 'room', 'peer');
  assert.deepEqual([await read('draining'), await read('drain_seconds_left')], [0, 0]);
  const drained = daemon.drain();
  const left = await read('drain_seconds_left');
  assert.ok(left > 0 && left <= 60, `${left}`);
  assert.equal(await read('draining'), 1);
  client.close();
  await drained;
  assert.equal(await read('rooms_closed_total{end="moved"}'), 1);
});
