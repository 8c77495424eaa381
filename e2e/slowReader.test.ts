import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SignalingClient } from '@mediasoup-server/media-daemon/testing/SignalingClient';
import { testDaemon } from '@mediasoup-server/media-daemon/testing/testDaemon';

const OTHERS = 50;

/** The median and the 99th percentile of round trips of all of them, in ms. */
async function roundTrips(clients: readonly SignalingClient[]): Promise<{ p50: number; p99: number }> {
  const times: number[] = [];
  for (let round = 0; round < 20; round++) {
    await Promise.all(
      clients.map(async (client) => {
        const since = performance.now();
        await client.request('ping');
        times.push(performance.now() - since);
      }),
    );
  }
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.floor(times.length * share)] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99) };
}

test('a client that never reads is cut at the bound, and the others in its room are served meanwhile', async (t) => {
  const { url, metricsPort } = await testDaemon(t, {
    MEDIA_DAEMON_MESSAGES_PER_SECOND: '1000000',
    MEDIA_DAEMON_MESSAGE_BURST: '1000000',
  });
  const others = await Promise.all(
    Array.from({ length: OTHERS }, (_, index) => SignalingClient.join(url, 'room', `peer-${index}`)),
  );
  const [talker] = others;
  assert.ok(talker);
  const before = await roundTrips(others);

  const silent = await SignalingClient.join(url, 'room', 'silent');
  silent.socket.pause();
  const appData = { text: 'x'.repeat(15_000) };
  const cut = async () =>
    /limited_total\{limit="bufferedBytes"\} 1/.test(
      await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text(),
    );
  const during: { p50: number; p99: number }[] = [];
  while (!(await cut())) {
    for (let count = 0; count < 50; count++) await talker.request('updateAppData', { appData });
    during.push(await roundTrips(others));
  }
  const worst = Math.max(...during.map(({ p99 }) => p99));
  t.diagnostic(
    `ping of ${OTHERS} others, ms: p50 ${before.p50.toFixed(1)}, p99 ${before.p99.toFixed(1)} before; ` +
      `p99 at most ${worst.toFixed(1)} until the slow reader was cut`,
  );
});
