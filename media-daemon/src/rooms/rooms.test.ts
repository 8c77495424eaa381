import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { requests } from '@mediasoup-server/proto/signaling';
import { opusRtpParameters } from '../testing/opus.ts';
import { SignalingClient } from '../testing/SignalingClient.ts';
import { testDaemon } from '../testing/testDaemon.ts';
import { joinRoom, testRooms } from '../testing/testRooms.ts';
import { videoRtpParameters } from '../testing/videoRtpParameters.ts';

async function twoPeers(t: TestContext) {
  const { url } = await testDaemon(t);
  const join = async (peerId: string) => {
    const client = await SignalingClient.open(url, 'room', peerId);
    const joined = await client.request('joinRoom', { roomId: 'room', peerId, transports: ['send', 'recv'] });
    return { client, joined };
  };
  const { client: alice, joined } = await join('alice');
  const { client: bob } = await join('bob');
  return { url, alice, bob, join, joined };
}

test('S20 a data producer is announced, consumed and closed', async (t) => {
  const { alice, bob, join } = await twoPeers(t);
  const channel = { sctpStreamParameters: { streamId: 3, ordered: true }, label: 'chat', protocol: 'json' };
  const { dataProducerId } = await alice.request('produceData', { ...channel, appData: { a: 1 } });
  const announced = { dataProducerId, peerId: 'alice', label: 'chat', protocol: 'json', appData: { a: 1 } };
  assert.deepEqual(await bob.notified('newDataProducer'), announced);
  const { client: carol } = await join('carol');
  assert.deepEqual(await carol.notified('newDataProducer'), announced);
  const consumed = await bob.request('consumeData', { dataProducerId });
  requests.consumeData.response.parse(consumed);
  assert.equal(consumed.label, 'chat');
  await bob.request('closeDataConsumer', { dataConsumerId: consumed.dataConsumerId });
  assert.equal((await alice.ask('consumeData', { dataProducerId })).errorCode, 409);
  assert.equal((await bob.ask('closeDataProducer', { dataProducerId })).errorCode, 404);
  await alice.request('closeDataProducer', { dataProducerId });
  assert.deepEqual(await bob.notified('dataProducerClosed'), { dataProducerId, peerId: 'alice' });
  assert.equal((await bob.ask('consumeData', { dataProducerId })).errorCode, 404);
});

test('S21 `updateAppData` notifies the other peers, and those that join later', async (t) => {
  const { alice, bob, join } = await twoPeers(t);
  await alice.request('updateAppData', { appData: { hand: true } });
  assert.deepEqual(await bob.notified('peerUpdated'), { peerId: 'alice', appData: { hand: true } });
  const { joined } = await join('carol');
  assert.deepEqual(joined.peers[0], { peerId: 'alice', appData: { hand: true } });
});

test('backends hear each pause and resume of a producer, however fast they follow each other', async (t) => {
  const { rooms } = await testRooms(t);
  const heard: string[] = [];
  rooms.listen((_, { kind }) => {
    if (kind === 'producerPaused' || kind === 'producerResumed') heard.push(kind);
  });
  const { peer } = await joinRoom(await rooms.getOrCreate('room'), 'alice');
  const { id } = await peer.producers.produce({ kind: 'audio', rtpParameters: opusRtpParameters() });
  await Promise.all([
    peer.producers.pauseProducer(id),
    peer.producers.resumeProducer(id),
    peer.producers.pauseProducer(id),
    peer.producers.resumeProducer(id),
  ]);
  assert.deepEqual(heard, ['producerPaused', 'producerResumed', 'producerPaused', 'producerResumed']);
});

test('S22 `getStats` answers for the peer’s own objects and no others', async (t) => {
  const { alice, bob, joined } = await twoPeers(t);
  const { producerId } = await alice.request('produce', { kind: 'audio', rtpParameters: opusRtpParameters() });
  const { dataProducerId } = await alice.request('produceData', { sctpStreamParameters: { streamId: 1 } });
  const { consumerId } = await bob.request('consume', { producerId, rtpCapabilities: joined.rtpCapabilities });
  const { dataConsumerId } = await bob.request('consumeData', { dataProducerId });
  const { transportId } = joined.transports.send;
  for (const [client, of] of [
    [alice, { transportId }],
    [alice, { producerId }],
    [alice, { dataProducerId }],
    [bob, { consumerId }],
    [bob, { dataConsumerId }],
  ] as const) {
    const { stats } = await client.request('getStats', of);
    assert.ok(Array.isArray(stats));
  }
  assert.equal((await bob.ask('getStats', { transportId })).errorCode, 404);
  assert.equal((await bob.ask('getStats', { producerId })).errorCode, 404);
  assert.equal((await bob.ask('getStats', {})).errorCode, 400);
  assert.equal((await bob.ask('getStats', { transportId, producerId })).errorCode, 400);
});

test('S23 simulcast of VP8 and H264 and SVC of VP9 and AV1 are forwarded in layers', async (t) => {
  const { alice, bob, joined } = await twoPeers(t);
  const simulcast = ['r0', 'r1', 'r2'].map((rid) => ({ rid, scalabilityMode: 'L1T3' }));
  const cases = [
    ['video/VP8', simulcast, 'simulcast'],
    ['video/H264', simulcast, 'simulcast'],
    ['video/VP9', [{ ssrc: 1001, scalabilityMode: 'L3T3_KEY' }], 'svc'],
    ['video/AV1', [{ ssrc: 1002, scalabilityMode: 'L3T3' }], 'svc'],
  ] as const;
  for (const [mimeType, encodings, type] of cases) {
    const rtpParameters = videoRtpParameters(mimeType, [...encodings]);
    const { producerId } = await alice.request('produce', { kind: 'video', rtpParameters });
    const consumer = await bob.request('consume', { producerId, rtpCapabilities: joined.rtpCapabilities });
    assert.equal(consumer.type, type, mimeType);
    const { consumerId } = consumer;
    await bob.request('setPreferredLayers', { consumerId, spatialLayer: 1, temporalLayer: 2 });
    await bob.request('setPriority', { consumerId, priority: 10 });
    await bob.request('requestKeyFrame', { consumerId });
    assert.equal((await bob.ask('setPreferredLayers', { consumerId, spatialLayer: -1 })).errorCode, 400);
    assert.equal((await bob.ask('setPriority', { consumerId, priority: 0 })).errorCode, 400);
    assert.equal((await bob.ask('setPriority', { consumerId, priority: 1.5 })).errorCode, 400);
    await alice.request('closeProducer', { producerId });
  }
});

test('S24 simulcast of VP9 or AV1 is refused with what to do instead', async (t) => {
  const { alice } = await twoPeers(t);
  for (const mimeType of ['video/VP9', 'video/AV1']) {
    const rtpParameters = videoRtpParameters(mimeType, [{ rid: 'r0' }, { rid: 'r1' }]);
    const answer = await alice.ask('produce', { kind: 'video', rtpParameters });
    assert.equal(answer.errorCode, 422);
    assert.match(answer.errorReason ?? '', /scalabilityMode/);
  }
});

test('layers of a consumer without any are refused', async (t) => {
  const { alice, bob, joined } = await twoPeers(t);
  const { producerId } = await alice.request('produce', { kind: 'audio', rtpParameters: opusRtpParameters() });
  const { consumerId } = await bob.request('consume', { producerId, rtpCapabilities: joined.rtpCapabilities });
  assert.equal((await bob.ask('setPreferredLayers', { consumerId, spatialLayer: 0 })).errorCode, 409);
});
