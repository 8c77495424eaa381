import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SignalingClient } from '@mediasoup-server/media-daemon/testing/SignalingClient';
import { testDaemon } from '@mediasoup-server/media-daemon/testing/testDaemon';
import { connectReceiver, OpusSender } from '../support/rtp.ts';
import { waitUntil } from '../support/waitUntil.ts';

const LOST = 7;

test('the metrics count each packet that peers send and receive, and each lost one', async (t) => {
  const { url, metricsPort } = await testDaemon(t, { MEDIA_DAEMON_MEDIA_STATS_INTERVAL_MS: '100' });
  const scrape = async () => (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  const read = async (name: string, direction: 'in' | 'out') => {
    const series = `media_daemon_${name}{direction="${direction}",kind="audio"} `;
    return Number((await scrape()).split(`\n${series}`)[1]?.split('\n')[0] ?? 0);
  };
  const join = async (peerId: string, transport: 'send' | 'recv') => {
    const client = await SignalingClient.open(url, 'room', peerId);
    const joined = await client.request('joinRoom', { roomId: 'room', peerId, transports: [transport] });
    return { client, transport: joined.transports[transport], rtpCapabilities: joined.rtpCapabilities };
  };
  const alice = await join('alice', 'send');
  const bob = await join('bob', 'recv');
  const { transportId } = alice.transport;
  const sender = new OpusSender(alice.transport, 4711);
  t.after(() => sender.close());
  const { dtlsParameters, rtpParameters } = sender;
  const { producerId } = await alice.client.request('produce', { kind: 'audio', rtpParameters });
  const receiver = await connectReceiver(t, bob.client, bob.transport, producerId, bob.rtpCapabilities);
  await alice.client.request('connectWebRtcTransport', { transportId, dtlsParameters });
  await waitUntil('10 packets have come', () => receiver.received.length >= 10);
  sender.lose(LOST);
  await waitUntil(
    `${LOST} packets are counted as lost`,
    async () => (await read('rtp_packets_lost_total', 'in')) >= LOST,
  );
  assert.equal(await read('rtp_packets_lost_total', 'in'), LOST);
  // No packet follows, so both counts become equal.
  await alice.client.request('pauseProducer', { producerId });
  await waitUntil(
    'the metric counts what was received',
    async () => (await read('rtp_packets_total', 'out')) === receiver.received.length,
  );
  const received = receiver.received.length;
  // The statistics of producer and consumer are read at different times.
  await waitUntil('the producer counts it too', async () => (await read('rtp_packets_total', 'in')) >= received);
  const bytes = await read('rtp_bytes_total', 'out');
  assert.ok(bytes >= received * 40, `${bytes} bytes in ${received} packets`);
});
