import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { SignalingClient } from '@mediasoup-server/media-daemon/testing/SignalingClient';
import { testDaemon } from '@mediasoup-server/media-daemon/testing/testDaemon';
import { observer, type types } from 'mediasoup';
import { RtxSender } from '../support/RtxSender.ts';
import { assertNoGap, connectReceiver, OpusSender } from '../support/rtp.ts';
import { waitUntil } from '../support/waitUntil.ts';

/** Subscribers of one publisher's sound. `make soak` sets more. */
const SUBSCRIBERS = Number(process.env.SUBSCRIBERS ?? 30);
/** Packets that each of them must receive, at 50 a second. */
const PACKETS = Number(process.env.PACKETS ?? 100);

/** A room on two workers, which get its peers in turn. */
async function spreadRoom(t: TestContext) {
  const { url } = await testDaemon(t, {
    MEDIA_DAEMON_WORKERS: '2',
    MEDIA_DAEMON_SATURATED_CONSUMERS: '0',
    MEDIA_DAEMON_IP_SOCKETS_PER_SECOND: '1000000',
  });
  const join = async (peerId: string) => {
    const client = await SignalingClient.open(url, 'room', peerId);
    const joining = { roomId: 'room', peerId, transports: ['send', 'recv'] };
    return { client, peerId, joined: await client.request('joinRoom', joining) };
  };
  type Joined = Awaited<ReturnType<typeof join>>;
  const send = async ({ client, joined }: Joined, ssrc: number) => {
    const sender = new OpusSender(joined.transports.send, ssrc);
    t.after(() => sender.close());
    const { transportId } = joined.transports.send;
    await client.request('connectWebRtcTransport', { transportId, dtlsParameters: sender.dtlsParameters });
    const { producerId } = await client.request('produce', { kind: 'audio', rtpParameters: sender.rtpParameters });
    return { sender, producerId };
  };
  const receive = ({ client, joined }: Joined, producerId: string) =>
    connectReceiver(t, client, joined.transports.recv, producerId, joined.rtpCapabilities);
  return { join, send, receive };
}

test('every subscriber on both workers receives each packet once', async (t) => {
  const { join, send, receive } = await spreadRoom(t);
  const { producerId } = await send(await join('publisher'), 4711);
  const receivers: Awaited<ReturnType<typeof receive>>[] = [];
  for (let index = 0; index < SUBSCRIBERS; index++)
    receivers.push(await receive(await join(`subscriber-${index}`), producerId));
  const from = receivers.map(({ received }) => received.length);
  const more = () => receivers.map(({ received }, index) => received.length - (from[index] ?? 0));
  await waitUntil(`each subscriber has received ${PACKETS} packets`, () => Math.min(...more()) >= PACKETS, more);
  for (const { received } of receivers) assertNoGap(received);
  t.diagnostic(
    `${SUBSCRIBERS} subscribers, ${receivers.reduce((sum, { received }) => sum + received.length, 0)} packets`,
  );
});

test('S49 each peer gets the active speaker once, whichever worker it is on', async (t) => {
  const { join, send, receive } = await spreadRoom(t);
  const [alice, bob, carol] = [await join('alice'), await join('bob'), await join('carol')];
  const alices = await send(alice, 4711);
  for (const { client } of [alice, bob, carol])
    assert.deepEqual(await client.notified('activeSpeaker'), { peerId: 'alice' });
  const bobs = await send(bob, 4712);
  // The sound of each is on both workers now.
  await receive(bob, alices.producerId);
  await receive(alice, bobs.producerId);
  for (const { client } of [alice, bob, carol]) {
    const isBoth = ({ levels }: { levels: unknown[] }) => levels.length === 2;
    const { levels } = await client.notified('audioLevels', isBoth);
    assert.deepEqual(levels.map(({ peerId }: { peerId: string }) => peerId).sort(), ['alice', 'bob']);
  }
  alice.client.close();
  for (const { client } of [bob, carol]) {
    assert.deepEqual(await client.notified('activeSpeaker'), { peerId: 'bob' });
    await client.notified('audioLevels', ({ levels }) => levels.length === 1 && levels[0].peerId === 'bob');
  }
  bob.client.close();
  assert.deepEqual(await carol.client.notified('activeSpeaker'), { peerId: null });
  await carol.client.notified('audioLevels', ({ levels }) => levels.length === 0);
});

test('S22 the statistics of a subscriber on another worker have the sender’s own stream, as on the same worker', async (t) => {
  const { join, send, receive } = await spreadRoom(t);
  const [alice, bob, carol] = [await join('alice'), await join('bob'), await join('carol')];
  const { producerId } = await send(alice, 4711);
  for (const { client, receiver } of [
    { client: bob.client, receiver: await receive(bob, producerId) },
    { client: carol.client, receiver: await receive(carol, producerId) },
  ]) {
    await waitUntil('the first packet comes', () => receiver.received.length > 0);
    const { consumerId } = await client.notified('consumerResumed');
    const { stats } = await client.request('getStats', { consumerId });
    assert.deepEqual(
      stats.map(({ type }: { type: string }) => type),
      ['outbound-rtp', 'inbound-rtp'],
    );
    assert.equal(stats[1].ssrc, 4711);
  }
});

test('a pipe pauses while all consumers behind it are paused, and resumes with the first of them', async (t) => {
  const piped: types.Consumer[] = [];
  const watch = ({ observer: worker }: types.Worker) =>
    worker.on('newrouter', ({ observer: router }) =>
      router.on('newtransport', (transport) => {
        if (transport.type === 'pipe') transport.observer.on('newconsumer', (consumer) => piped.push(consumer));
      }),
    );
  observer.on('newworker', watch);
  t.after(() => observer.off('newworker', watch));
  const { join } = await spreadRoom(t);
  const [alice, bob] = [await join('alice'), await join('bob')];
  await join('carol');
  const dave = await join('dave');

  const { transportId } = alice.joined.transports.send;
  const sender = new RtxSender(alice.joined.transports.send, 6001);
  t.after(() => sender.close());
  const { dtlsParameters, rtpParameters } = sender;
  await alice.client.request('connectWebRtcTransport', { transportId, dtlsParameters });
  const { producerId } = await alice.client.request('produce', { kind: 'video', rtpParameters });
  const { rtpCapabilities } = alice.joined;
  const consume = async ({ client }: typeof alice, paused: boolean) => {
    const consumed = await client.request('consume', { producerId, rtpCapabilities, paused });
    assert.equal(consumed.producerPaused, false, 'that of its owner, not of the pipe');
    const { consumerId } = consumed;
    return (method: 'pause' | 'resume' | 'closeConsumer') => client.request(method, { consumerId });
  };
  const [bobs, daves] = [await consume(bob, true), await consume(dave, true)];
  const [pipe] = piped;
  assert.ok(pipe && piped.length === 1, 'one pipe for both');

  /** Packets by mediasoup's own statistics. */
  const packets = (stats: readonly { type: string; packetCount: number }[], type: string) =>
    stats.find((stream) => stream.type === type)?.packetCount ?? 0;
  const carried = async () => packets(await pipe.getStats(), 'outbound-rtp');
  const sent = async () => packets((await alice.client.request('getStats', { producerId })).stats, 'inbound-rtp');
  const flows = async () => {
    const from = await carried();
    await waitUntil('the pipe carries 20 packets', async () => (await carried()) >= from + 20);
  };
  const rests = async () => {
    await waitUntil('the pipe is paused', () => pipe.paused);
    const [from, before] = [await sent(), await carried()];
    await waitUntil('the publisher sends 20 packets', async () => (await sent()) >= from + 20);
    assert.equal(await carried(), before);
  };
  await rests();
  for (let round = 0; round < 3; round++) {
    await bobs('resume');
    await flows();
    await waitUntil('the publisher is asked for a key frame', () => sender.keyFrameRequests > 0);
    await daves('resume');
    await bobs('pause');
    await flows();
    await daves('pause');
    await rests();
  }
  await bob.client.notified('consumerPaused');
  await Promise.all([bobs('resume'), bobs('pause'), bobs('resume')]);
  await flows();
  await bobs('closeConsumer');
  await rests();
});
