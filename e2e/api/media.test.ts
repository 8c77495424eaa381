import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { serviceCalls } from '@mediasoup-server/backend-client/calls';
import { openChannel } from '@mediasoup-server/backend-client/channel';
import { opusRtpParameters } from '@mediasoup-server/media-daemon/testing/opus';
import { SignalingClient } from '@mediasoup-server/media-daemon/testing/SignalingClient';
import { testDaemon } from '@mediasoup-server/media-daemon/testing/testDaemon';
import { MediaDaemon } from '@mediasoup-server/proto/daemon';
import { connectReceiver, OpusSender } from '../support/rtp.ts';
import { waitUntil } from '../support/waitUntil.ts';

/** Packets of 20 ms between two of the daemon's looks at the volumes. */
const PACKETS_A_LOOK = 40;

/** Alice sends sound, which Bob receives. */
async function sounding(t: TestContext) {
  const { url, grpcPort } = await testDaemon(t);
  const join = async (peerId: string, more: { sessionId?: string } = {}) => {
    const client = await SignalingClient.open(url, 'room', peerId);
    const joining = { roomId: 'room', peerId, transports: ['send', 'recv'], ...more };
    return { client, joined: await client.request('joinRoom', joining) };
  };
  const { client: alice, joined } = await join('alice');
  const { client: bob, joined: bobs } = await join('bob');
  const { rtpCapabilities } = joined;
  const { transportId } = joined.transports.send;
  const sender = new OpusSender(joined.transports.send, 4711);
  t.after(() => sender.close());
  await alice.request('connectWebRtcTransport', { transportId, dtlsParameters: sender.dtlsParameters });
  const produced = { kind: 'audio', rtpParameters: sender.rtpParameters };
  const { producerId } = await alice.request('produce', produced);
  const receiver = await connectReceiver(t, bob, bobs.transports.recv, producerId, rtpCapabilities);
  return { join, alice, bob, sender, receiver, producerId, rtpCapabilities, grpcPort };
}

test('S49 every peer gets the active speaker and the audio levels, also one that joins or resumes later', async (t) => {
  const { join, alice, bob, receiver, grpcPort } = await sounding(t);
  const channel = openChannel(`127.0.0.1:${grpcPort}`);
  t.after(() => channel.close());
  const speakers: string[] = [];
  const watched = (async () => {
    for await (const { message } of serviceCalls(MediaDaemon, channel).watchEvents({ roomId: 'room', cursor: 'all' })) {
      const kind = message.case === 'event' ? message.value.kind : undefined;
      if (kind?.case === 'activeSpeaker') speakers.push(kind.value.peerId);
      if (speakers.length === 2) break;
    }
  })();
  const levels = { levels: [{ peerId: 'alice', volume: -20 }] };
  for (const peer of [alice, bob]) {
    assert.deepEqual(await peer.notified('audioLevels'), levels);
    assert.deepEqual(await peer.notified('activeSpeaker'), { peerId: 'alice' });
  }
  const end = receiver.received.length + 2 * PACKETS_A_LOOK;
  await waitUntil('enough packets for two looks have come', () => receiver.received.length >= end);
  assert.ok(!bob.unread.includes('audioLevels'), 'what does not change is told once');
  const { client: carol, joined: carols } = await join('carol');
  assert.deepEqual(await carol.notified('activeSpeaker'), { peerId: 'alice' });
  assert.deepEqual(await carol.notified('audioLevels'), levels);
  carol.socket.terminate();
  const { joined } = await join('carol', { sessionId: carols.sessionId });
  assert.deepEqual(joined.snapshot.audioLevels, levels.levels);
  alice.close();
  assert.deepEqual(await bob.notified('activeSpeaker'), { peerId: null });
  await watched;
  assert.deepEqual(speakers, ['alice', ''], 'and watchers over gRPC');
});

test('S49 a peer that sends nothing is not the active speaker, also when nobody else is heard', async (t) => {
  const { join, alice, bob, producerId } = await sounding(t);
  const { client: carol } = await join('carol');
  await carol.request('produce', { kind: 'audio', rtpParameters: opusRtpParameters() });
  const speaks = (who: string | null) => bob.notified('activeSpeaker', ({ peerId }) => peerId === who);
  await speaks('alice');
  for (let time = 0; time < 3; time++) {
    await alice.request('pauseProducer', { producerId });
    await speaks(null);
    await bob.notified('audioLevels', ({ levels }) => levels.length === 0);
    await alice.request('resumeProducer', { producerId });
    await speaks('alice');
  }
  assert.ok(!bob.unread.includes('activeSpeaker'), 'Carol was named');
});

test('S52 a consumer of simulcast is notified of its layers, and that it receives none', async (t) => {
  const { alice, bob, sender, rtpCapabilities } = await sounding(t);
  const rtpParameters = sender.sendSimulcast([5001, 5002]);
  const { producerId } = await alice.request('produce', { kind: 'video', rtpParameters });
  const { consumerId } = await bob.request('consume', { producerId, rtpCapabilities });
  await bob.request('setPreferredLayers', { consumerId, spatialLayer: 0 });
  await bob.request('resume', { consumerId });
  const first = await bob.notified('consumerLayersChanged');
  assert.deepEqual(first, { consumerId, spatialLayer: 0, temporalLayer: 0 });
  await bob.request('pause', { consumerId });
  const paused = await bob.notified('consumerLayersChanged');
  assert.deepEqual(paused, { consumerId, spatialLayer: null, temporalLayer: null });
});

test('S52 a viewer whose layers change with each packet is notified at most every half second', async (t) => {
  const { alice, bob, sender, receiver, rtpCapabilities } = await sounding(t);
  const rtpParameters = sender.sendSimulcast([5001, 5002], { temporal: true });
  const { producerId } = await alice.request('produce', { kind: 'video', rtpParameters });
  // Without an estimate of his bandwidth he gets all layers at once.
  const { codecs, headerExtensions } = rtpCapabilities;
  const withoutEstimate = {
    codecs: codecs.map((codec: object) => ({ ...codec, rtcpFeedback: [] })),
    headerExtensions: headerExtensions.filter(({ uri }: { uri: string }) => !/transport-wide|abs-send/.test(uri)),
  };
  const { consumerId } = await bob.request('consume', { producerId, rtpCapabilities: withoutEstimate });
  await bob.request('resume', { consumerId });
  await bob.notified('consumerLayersChanged', ({ temporalLayer }) => (temporalLayer ?? 0) > 0);
  const since = performance.now();
  const before = bob.unread.length;
  const end = receiver.received.length + 150;
  await waitUntil('three seconds of packets have come', () => receiver.received.length >= end);
  const changes = bob.unread.slice(before).filter((name) => name === 'consumerLayersChanged').length;
  const most = 2 + (performance.now() - since) / 500;
  assert.ok(changes > 1 && changes <= most, `${changes} of at most ${most}`);
});
