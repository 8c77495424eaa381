import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SignalingClient } from '@mediasoup-server/media-daemon/testing/SignalingClient';
import { testDaemon } from '@mediasoup-server/media-daemon/testing/testDaemon';
import { unlimitedRates } from '@mediasoup-server/media-daemon/testing/unlimitedRates';

const OTHERS = 25;
/** Rounds of 750 kB that the slow reader is sent at most: its bound and the kernel's buffers take fewer than twenty. */
const MOST_ROUNDS = 200;
/** Milliseconds that a ping of the others may take on a busy machine: a tenth of a second would be the aim. */
const MOST_MS = 10_000;

/** The round trips of all clients, in ms. Throws when a ping is not answered. */
async function roundTrips(clients: readonly SignalingClient[], rounds: number): Promise<number[]> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await Promise.all(
      clients.map(async (client) => {
        const since = performance.now();
        await client.request('ping');
        times.push(performance.now() - since);
      }),
    );
  }
  return times;
}

function percentiles(times: readonly number[]): { p50: number; p99: number } {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99) };
}

test('S37 a client that never reads is cut at the bound, and the others in its room are not delayed', async (t) => {
  const bound = { MEDIA_DAEMON_MAX_BUFFERED_BYTES: '1048576' };
  const { url, metricsPort } = await testDaemon(t, { ...unlimitedRates, ...bound });
  const others = await Promise.all(
    Array.from({ length: OTHERS }, (_, index) => SignalingClient.join(url, 'room', `peer-${index}`)),
  );
  const [talker] = others;
  assert.ok(talker);
  // The first pings run code that is not compiled yet.
  await roundTrips(others, 50);
  const before = percentiles(await roundTrips(others, 100));

  const silent = await SignalingClient.join(url, 'room', 'silent');
  silent.socket.pause();
  // These notifications may not be dropped for a slow reader.
  await talker.request('createWebRtcTransport', { direction: 'send' });
  const announced = { sctpStreamParameters: { streamId: 1 }, appData: { text: 'x'.repeat(15_000) } };
  const cut = async () =>
    /limited_total\{limit="bufferedBytes"\} 1/.test(
      await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text(),
    );
  const times: number[] = [];
  let rounds = 0;
  for (; rounds < MOST_ROUNDS && !(await cut()); rounds++) {
    for (let count = 0; count < 50; count++)
      await talker.request('closeDataProducer', await talker.request('produceData', announced));
    times.push(...(await roundTrips(others, 5)));
  }
  assert.ok(rounds < MOST_ROUNDS, `the slow reader is not cut after ${rounds} rounds`);
  const during = percentiles(times);
  assert.ok(Math.max(...times) < MOST_MS, `a ping took ${Math.round(Math.max(...times))} ms`);
  const row = (name: 'p50' | 'p99') =>
    `${name} ${before[name].toFixed(2)} -> ${during[name].toFixed(2)} (x${(during[name] / before[name]).toFixed(2)})`;
  t.diagnostic(
    `ping of ${OTHERS} others, ms, before -> until the slow reader was cut in round ${rounds}: ${row('p50')}, ${row('p99')}`,
  );
});
