import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { SignalingClient } from '@mediasoup-server/media-daemon/testing/SignalingClient';
import { testDaemon } from '@mediasoup-server/media-daemon/testing/testDaemon';
import { assertNoGap, connectReceiver, connectSender } from '../support/rtp.ts';
import { TcpProxy } from '../support/TcpProxy.ts';
import { waitUntil } from '../support/waitUntil.ts';

/** The aim is two ping intervals of a second; a busy machine may be far slower. */
const MOST_NOTICE_MS = 30_000;

/** Alice sends to Bob, each over a WebSocket through its own relay. Carol watches. */
async function sending(t: TestContext, environment: Record<string, string> = {}) {
  const { url, metricsPort } = await testDaemon(t, environment);
  const { port } = new URL(url);
  const join = async (peerId: string, through: TcpProxy, more: object = {}) => {
    const client = await SignalingClient.open(`ws://127.0.0.1:${through.port}`, 'room', peerId);
    return { client, joined: await client.request('joinRoom', { roomId: 'room', peerId, ...more }) };
  };
  const relays = { alice: await TcpProxy.start(t, Number(port)), bob: await TcpProxy.start(t, Number(port)) };
  const carol = await SignalingClient.join(url, 'room', 'carol');
  const alice = await join('alice', relays.alice, { transports: ['send'] });
  const bob = await join('bob', relays.bob, { transports: ['recv'] });

  const producerId = await connectSender(t, alice.client, alice.joined.transports.send);
  const { transports, rtpCapabilities } = bob.joined;
  const receiver = await connectReceiver(t, bob.client, transports.recv, producerId, rtpCapabilities);
  const more = async (packets: number) => {
    const until = receiver.received.length + packets;
    await waitUntil(
      `${packets} more packets arrive`,
      () => receiver.received.length >= until,
      () => receiver.received.length,
    );
  };
  await more(20);
  return { metricsPort, join, relays, carol, alice, bob, receiver, more };
}

for (const who of ['alice', 'bob'] as const) {
  for (const failure of ['reset', 'blackhole'] as const) {
    test(`media continues after a ${failure} of the socket of ${who}, and the session resumes`, async (t) => {
      // The end of the test waits one ping interval for the blackholed socket.
      const ping = { MEDIA_DAEMON_PING_INTERVAL_MS: '2000' };
      const { join, relays, carol, alice, bob, receiver, more } = await sending(t, ping);
      const { sessionId } = { alice, bob }[who].joined;
      relays[who][failure]();
      await more(25);
      const { joined } = await join(who, relays[who], { sessionId });
      assert.equal(joined.resumed, true);
      await more(25);
      assertNoGap(receiver.received);
      await carol.request('ping');
      assert.deepEqual(
        carol.unread.filter((name) => name === 'peerLeft' || name === 'producerClosed'),
        [],
      );
    });
  }
}

test('S12 media continues while the sockets are slow, and every request is answered', async (t) => {
  const { relays, alice, bob, receiver, more } = await sending(t);
  for (const relay of Object.values(relays)) relay.delay(300);
  await Promise.all([alice, bob].flatMap(({ client }) => Array.from({ length: 10 }, () => client.request('ping'))));
  await more(25);
  assertNoGap(receiver.received);
});

test('S6 a blackholed socket is detected, and its peer leaves after the grace time', async (t) => {
  // Long enough for the others' pongs on a busy machine.
  const pingInterval = 1000;
  const { metricsPort, relays, carol } = await sending(t, {
    MEDIA_DAEMON_PING_INTERVAL_MS: String(pingInterval),
    MEDIA_DAEMON_RESUME_GRACE_MS: '100',
  });
  const since = performance.now();
  relays.bob.blackhole();
  const metrics = async () => (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  await waitUntil('the missing pong is counted', async () => /limited_total\{limit="pong"\} 1/.test(await metrics()));
  const noticedMs = Math.round(performance.now() - since);
  t.diagnostic(`noticed after ${noticedMs} ms, pinging every ${pingInterval} ms`);
  assert.ok(noticedMs < MOST_NOTICE_MS);
  assert.deepEqual(await carol.notified('peerLeft'), { peerId: 'bob' });
});
