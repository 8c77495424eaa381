import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SignalingClient } from '@mediasoup-server/media-daemon/testing/SignalingClient';
import { testDaemon } from '@mediasoup-server/media-daemon/testing/testDaemon';
import { unlimitedRates } from '@mediasoup-server/media-daemon/testing/unlimitedRates';

const OTHERS = 50;

/** The round trips of all of them, in ms; each is answered, or this fails. */
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

test('S37 a client that never reads is cut at the bound, and the others in its room are served meanwhile', async (t) => {
  const { url, metricsPort } = await testDaemon(t, {
    ...unlimitedRates,
  });
  const others = await Promise.all(
    Array.from({ length: OTHERS }, (_, index) => SignalingClient.join(url, 'room', `peer-${index}`)),
  );
  const [talker] = others;
  assert.ok(talker);
  // The first ones find code that is not compiled yet.
  await roundTrips(others, 50);
  const before = percentiles(await roundTrips(others, 100));

  const silent = await SignalingClient.join(url, 'room', 'silent');
  silent.socket.pause();
  // Nothing of an announced data producer can be left out.
  await talker.request('createWebRtcTransport', { direction: 'send' });
  const announced = { sctpStreamParameters: { streamId: 1 }, appData: { text: 'x'.repeat(15_000) } };
  const cut = async () =>
    /limited_total\{limit="bufferedBytes"\} 1/.test(
      await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text(),
    );
  const times: number[] = [];
  while (!(await cut())) {
    for (let count = 0; count < 50; count++)
      await talker.request('closeDataProducer', await talker.request('produceData', announced));
    times.push(...(await roundTrips(others, 20)));
  }
  const during = percentiles(times);
  const row = (name: 'p50' | 'p99') =>
    `${name} ${before[name].toFixed(2)} -> ${during[name].toFixed(2)} (x${(during[name] / before[name]).toFixed(2)})`;
  t.diagnostic(
    `ping of ${OTHERS} others at once, ms, before -> until the slow reader was cut: ${row('p50')}, ${row('p99')}`,
  );
});
