import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { SignalingClient } from '@mediasoup-server/media-daemon/testing/SignalingClient';
import { testDaemon } from '@mediasoup-server/media-daemon/testing/testDaemon';
import { RtxReceiver } from '../support/RtxReceiver.ts';
import { RTX, RtxSender } from '../support/RtxSender.ts';
import type { TransportOptions } from '../support/rtp.ts';
import { UdpRelay } from '../support/UdpRelay.ts';
import { waitUntil } from '../support/waitUntil.ts';

/** Packets that arrive during the loss, at 200 a second. */
const PACKETS = 200;
/** One in this many RTP packets is lost, also of those sent again. */
const LOST_EVERY = 5;
/** The least number of packets lost. */
const MANY = PACKETS / LOST_EVERY / 2;
const SSRC = 6001;

type Score = { readonly score: number; readonly producerScore: number };
type Transport = TransportOptions & { readonly transportId: string };

/** Alice sends video to Bob; the path of each to the daemon is a relay of its own. */
async function watching(t: TestContext) {
  const { url } = await testDaemon(t);
  const join = async (peerId: string, direction: 'send' | 'recv') => {
    const client = await SignalingClient.open(url, 'room', peerId);
    const joined = await client.request('joinRoom', { roomId: 'room', peerId, transports: [direction] });
    const transport: Transport = joined.transports[direction];
    const candidates = transport.iceCandidates.filter(({ protocol }) => protocol === 'udp');
    const workerPort = candidates[0]?.port ?? 0;
    const relay = await UdpRelay.start(t, workerPort);
    const iceCandidates = candidates.map((candidate) => ({ ...candidate, port: relay.port }));
    const { rtpCapabilities } = joined;
    return { client, relay, workerPort, transport: { ...transport, iceCandidates }, rtpCapabilities };
  };
  const alice = await join('alice', 'send');
  const bob = await join('bob', 'recv');
  assert.equal(alice.workerPort === bob.workerPort, !process.env.SPREAD, 'each worker has a port');

  const connect = ({ client, transport: { transportId } }: typeof alice, { dtlsParameters }: RtxSender | RtxReceiver) =>
    client.request('connectWebRtcTransport', { transportId, dtlsParameters });
  const sender = new RtxSender(alice.transport, SSRC);
  t.after(() => sender.close());
  await connect(alice, sender);
  const produced = { kind: 'video', rtpParameters: sender.rtpParameters };
  const { producerId } = await alice.client.request('produce', produced);
  const consumed = { producerId, rtpCapabilities: withNacks(bob.rtpCapabilities) };
  const { consumerId, rtpParameters } = await bob.client.request('consume', consumed);
  const receiver = new RtxReceiver(bob.transport, rtpParameters);
  t.after(() => receiver.close());
  await connect(bob, receiver);
  await bob.client.request('resume', { consumerId });
  await waitUntil('the first packet comes', () => receiver.received.size > 0);

  /** Waits for this many more packets, of which none is missing. */
  const complete = async () => {
    const enough = receiver.received.size + PACKETS;
    const received = () => receiver.received.size;
    await waitUntil(`${enough} packets have come`, () => received() >= enough, received);
    const upTo = Math.max(...receiver.received);
    const missing = () => receiver.missing.filter((sequence) => sequence <= upTo);
    await waitUntil(`no packet up to ${upTo} is missing`, () => missing().length === 0, missing);
  };
  const stats = async ({ client }: typeof alice, of: object, type: string) => {
    const { stats } = await client.request('getStats', of);
    return stats.find((stream: { type: string }) => stream.type === type);
  };
  return { alice, bob, sender, receiver, producerId, consumerId, complete, stats };
}

/** Without bandwidth estimation, which mistakes libdatachannel for a peer without bandwidth. */
const withNacks = ({ codecs }: { codecs: { mimeType: string }[] }) => ({
  codecs: codecs
    .filter(({ mimeType }) => /\/(VP8|rtx)$/i.test(mimeType))
    .map((codec) => ({ ...codec, rtcpFeedback: [{ type: 'nack' }, { type: 'nack', parameter: 'pli' }] })),
  headerExtensions: [],
});

/**
 * Makes a relay lose some RTP packets, and counts them.
 *
 * @param lost a payload type of which it loses everything.
 */
function loseSome(relay: UdpRelay, lost?: number): { count: number } {
  const counted = { count: 0 };
  let packets = 0;
  relay.loses = (packet) => {
    const [first = 0, second = 0] = packet;
    // RTCP shares the port; its second byte is 200 to 206 (RFC 5761).
    const isRtp = first >> 6 === 2 && (second < 200 || second > 206);
    const loses = isRtp && (++packets % LOST_EVERY === 0 || (second & 0x7f) === lost);
    if (loses) counted.count++;
    return loses;
  };
  return counted;
}

const loseNothing = (relay: UdpRelay) => {
  relay.loses = () => false;
};

test('packets lost on the way to a subscriber are sent again, and only the subscriber gets a worse score', async (t) => {
  const { bob, receiver, consumerId, complete, stats } = await watching(t);
  const lost = loseSome(bob.relay);
  await complete();
  const isWorse = ({ score, producerScore }: Score) => score < 10 && producerScore === 10;
  const worse = await bob.client.notified('consumerScore', isWorse);
  assert.deepEqual(worse.producerScores, [10]);
  loseNothing(bob.relay);
  await bob.client.notified('consumerScore', ({ score }) => score > worse.score);
  await complete();
  assert.ok(lost.count >= MANY, `${lost.count} lost`);
  assert.ok(receiver.repaired.size >= MANY, `${receiver.repaired.size} sent again`);
  const { packetsRetransmitted, nackPacketCount } = await stats(bob, { consumerId }, 'outbound-rtp');
  assert.ok(packetsRetransmitted >= receiver.repaired.size && nackPacketCount >= packetsRetransmitted);
});

test('packets lost on the way from a publisher are sent again, and both peers get its score', async (t) => {
  const { alice, bob, receiver, producerId, complete, stats } = await watching(t);
  const lost = loseSome(alice.relay);
  await complete();
  loseSome(alice.relay, RTX);
  const { scores } = await alice.client.notified('producerScore', ({ scores: [{ score }] }) => score > 0 && score < 10);
  assert.equal(scores[0].ssrc, SSRC);
  const told = await bob.client.notified(
    'consumerScore',
    ({ producerScore }) => producerScore > 0 && producerScore < 10,
  );
  assert.deepEqual(told.producerScores, [told.producerScore]);
  loseNothing(alice.relay);
  await alice.client.notified('producerScore', ({ scores: [{ score }] }) => score > scores[0].score);
  await bob.client.notified('consumerScore', ({ producerScore }) => producerScore > told.producerScore);
  await complete();
  assert.ok(lost.count >= MANY, `${lost.count} lost`);
  const { packetsRepaired } = await stats(alice, { producerId }, 'inbound-rtp');
  assert.ok(packetsRepaired >= MANY, `${packetsRepaired} repaired`);
  t.diagnostic(`${packetsRepaired} of the publisher's packets came again, ${receiver.repaired.size} to the subscriber`);
});

test('the publisher is asked for a key frame that a subscriber requests', async (t) => {
  const { bob, sender, consumerId } = await watching(t);
  const before = sender.keyFrameRequests;
  // Repeated, because a request made while another is pending is not passed on.
  await waitUntil('the publisher is asked for a key frame', async () => {
    await bob.client.request('requestKeyFrame', { consumerId });
    return sender.keyFrameRequests > before;
  });
});
