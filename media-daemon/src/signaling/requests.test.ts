import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Method, requests } from '@mediasoup-server/proto/signaling';
import { opusRtpParameters } from '../testing/opus.ts';
import { SignalingClient } from '../testing/SignalingClient.ts';
import { testDaemon } from '../testing/testDaemon.ts';

const dtlsParameters = { fingerprints: [{ algorithm: 'sha-256', value: Array(32).fill('AB').join(':') }] };
const produced = (more: object = {}) => ({ kind: 'audio', rtpParameters: { ...opusRtpParameters(), ...more } });
const vp9 = { mimeType: 'video/VP9', payloadType: 96, clockRate: 90_000, parameters: {}, rtcpFeedback: [] };

/** What only a token could bring about, or a backend's command, or many requests: S4, S53, S66, S69 and S72 have it, and mode `open` grants everything. */
const NOT_HERE = [
  'joinRoom 401',
  'joinRoom 429',
  'sendMessage 403',
  'sendMessage 409',
  'sendMessage 429',
  'updateAppData 429',
  'resumeProducer 429',
  'resumeProducer 403',
  'produce 403',
  'consume 403',
  'produceData 403',
  'consumeData 403',
];

test('S47 each error that the reference has beside a request is answered in its case', async (t) => {
  const { url } = await testDaemon(t, {
    MEDIA_DAEMON_MAX_ROOM_PEERS: '2',
    MEDIA_DAEMON_MAX_PEER_PRODUCERS: '1',
    MEDIA_DAEMON_MAX_PEER_CONSUMERS: '1',
    MEDIA_DAEMON_MAX_PEER_DATA_PRODUCERS: '1',
    MEDIA_DAEMON_MAX_PEER_DATA_CONSUMERS: '1',
  });
  const alice = await SignalingClient.open(url, 'room', 'alice');
  const { transports } = await alice.request('joinRoom', {
    roomId: 'room',
    peerId: 'alice',
    transports: ['send', 'recv'],
  });
  const { transportId } = transports.send;
  await alice.request('connectWebRtcTransport', { transportId, dtlsParameters });
  const { producerId } = await alice.request('produce', produced());
  const streamId = (id: number) => ({ sctpStreamParameters: { streamId: id } });
  const { dataProducerId } = await alice.request('produceData', streamId(1));
  const bob = await SignalingClient.open(url, 'room', 'bob');
  const { rtpCapabilities } = await bob.request('joinRoom', { roomId: 'room', peerId: 'bob', transports: ['recv'] });
  const { consumerId } = await bob.request('consume', { producerId, rtpCapabilities });
  await bob.request('consumeData', { dataProducerId });
  const carol = await SignalingClient.open(url, 'room', 'carol');

  const cases: [SignalingClient, Method, number, object][] = [
    [carol, 'joinRoom', 403, { roomId: 'other', peerId: 'carol' }],
    [carol, 'joinRoom', 503, { roomId: 'room', peerId: 'carol' }],
    [alice, 'joinRoom', 409, { roomId: 'room', peerId: 'alice' }],
    [alice, 'createWebRtcTransport', 409, { direction: 'send' }],
    [alice, 'connectWebRtcTransport', 404, { transportId: 'none', dtlsParameters }],
    [alice, 'connectWebRtcTransport', 409, { transportId, dtlsParameters }],
    [alice, 'restartIce', 404, { transportId: 'none' }],
    [alice, 'produce', 404, { ...produced(), transportId: 'none' }],
    [alice, 'produce', 409, { ...produced(), transportId: transports.recv.transportId }],
    [bob, 'produce', 409, produced()],
    [alice, 'produce', 422, { ...produced({ codecs: [vp9], encodings: [{ rid: 'a' }, { rid: 'b' }] }), kind: 'video' }],
    [alice, 'produce', 429, produced({ mid: '1' })],
    [alice, 'pauseProducer', 404, { producerId: 'none' }],
    [alice, 'resumeProducer', 404, { producerId: 'none' }],
    [alice, 'closeProducer', 404, { producerId: 'none' }],
    [bob, 'consume', 404, { producerId: 'none', rtpCapabilities }],
    [alice, 'consume', 409, { producerId, rtpCapabilities }],
    [bob, 'consume', 422, { producerId, rtpCapabilities: { codecs: [] } }],
    [bob, 'consume', 429, { producerId, rtpCapabilities }],
    [bob, 'pause', 404, { consumerId: 'none' }],
    [bob, 'resume', 404, { consumerId: 'none' }],
    [bob, 'closeConsumer', 404, { consumerId: 'none' }],
    [bob, 'setPreferredLayers', 404, { consumerId: 'none', spatialLayer: 0 }],
    [bob, 'setPreferredLayers', 409, { consumerId, spatialLayer: 0 }],
    [bob, 'setPriority', 404, { consumerId: 'none', priority: 1 }],
    [bob, 'requestKeyFrame', 404, { consumerId: 'none' }],
    [alice, 'produceData', 404, { ...streamId(2), transportId: 'none' }],
    [bob, 'produceData', 409, streamId(2)],
    [alice, 'produceData', 429, streamId(2)],
    [alice, 'closeDataProducer', 404, { dataProducerId: 'none' }],
    [bob, 'consumeData', 404, { dataProducerId: 'none' }],
    [alice, 'consumeData', 409, { dataProducerId }],
    [bob, 'consumeData', 429, { dataProducerId }],
    [bob, 'closeDataConsumer', 404, { dataConsumerId: 'none' }],
    [bob, 'getStats', 404, { consumerId: 'none' }],
  ];
  for (const [client, method, code, data] of cases) {
    const answer = await client.ask(method, data);
    assert.equal(answer.errorCode, code, `${method} ${JSON.stringify(data)}: ${answer.errorReason}`);
  }
  const listed = Object.entries(requests).flatMap(([method, { errors }]) =>
    Object.keys(errors).map((code) => `${method} ${code}`),
  );
  const seen = cases.map(([, method, code]) => `${method} ${code}`);
  assert.deepEqual([...new Set([...seen, ...NOT_HERE])].sort(), listed.sort());
});

test('S41 before joining, a peer may only send `ping` and `leaveRoom`', async (t) => {
  const { url } = await testDaemon(t);
  const alice = await SignalingClient.open(url, 'room', 'alice');
  for (const method of Object.keys(requests).filter((name) => !['joinRoom', 'ping', 'leaveRoom'].includes(name))) {
    assert.equal((await alice.ask(method)).errorCode, 409, method);
  }
  assert.ok((await alice.ask('ping')).ok);
  assert.ok((await alice.ask('leaveRoom')).ok);
  assert.equal(await alice.closed, 4000);
});

test("S48 another peer's things are for a peer as if they were not there", async (t) => {
  const { url } = await testDaemon(t);
  const join = async (peerId: string) => {
    const client = await SignalingClient.open(url, 'room', peerId);
    return {
      client,
      joined: await client.request('joinRoom', { roomId: 'room', peerId, transports: ['send', 'recv'] }),
    };
  };
  const { client: alice, joined } = await join('alice');
  const { client: bob } = await join('bob');
  const { client: mallory } = await join('mallory');
  const { transportId } = joined.transports.send;
  const { producerId } = await alice.request('produce', produced());
  const { dataProducerId } = await alice.request('produceData', { sctpStreamParameters: { streamId: 1 } });
  const { rtpCapabilities } = joined;
  const { consumerId } = await bob.request('consume', { producerId, rtpCapabilities });
  const { dataConsumerId } = await bob.request('consumeData', { dataProducerId });
  const tries: [Method, object][] = [
    ['connectWebRtcTransport', { transportId, dtlsParameters }],
    ['restartIce', { transportId }],
    ['produce', { ...produced(), transportId }],
    ['pauseProducer', { producerId }],
    ['resumeProducer', { producerId }],
    ['closeProducer', { producerId }],
    ['pause', { consumerId }],
    ['resume', { consumerId }],
    ['closeConsumer', { consumerId }],
    ['setPreferredLayers', { consumerId, spatialLayer: 0 }],
    ['setPriority', { consumerId, priority: 1 }],
    ['requestKeyFrame', { consumerId }],
    ['closeDataProducer', { dataProducerId }],
    ['closeDataConsumer', { dataConsumerId }],
    ['getStats', { transportId }],
    ['getStats', { producerId }],
    ['getStats', { consumerId }],
  ];
  for (const [method, data] of tries) {
    const { errorCode, errorReason } = await mallory.ask(method, data);
    const invented = Object.fromEntries(
      Object.entries(data).map(([name, id]) => [name, /Id$/.test(name) ? 'none' : id]),
    );
    assert.deepEqual([errorCode, errorReason], [404, (await mallory.ask(method, invented)).errorReason], method);
  }
  await bob.request('resume', { consumerId });
});
