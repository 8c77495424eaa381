import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { SignalingClient } from '../testing/SignalingClient.ts';
import { testDaemon } from '../testing/testDaemon.ts';
import { videoRtpParameters } from '../testing/videoRtpParameters.ts';

const simulcast = ['r0', 'r1', 'r2'].map((rid) => ({ rid, scalabilityMode: 'L1T3' }));

/** A sender of three layers, and two viewers. */
async function meeting(t: TestContext, mimeType = 'video/VP8', encodings: object[] = simulcast) {
  const { url } = await testDaemon(t);
  const join = async (peerId: string, more: object = {}) => {
    const client = await SignalingClient.open(url, 'room', peerId);
    const joined = await client.request('joinRoom', { roomId: 'room', peerId, transports: ['send', 'recv'], ...more });
    return { client, joined };
  };
  const { client: alice, joined } = await join('alice');
  const { client: bob } = await join('bob');
  const { client: carol } = await join('carol');
  const { producerId } = await alice.request('produce', {
    kind: 'video',
    rtpParameters: videoRtpParameters(mimeType, encodings),
  });
  const consume = async (viewer: SignalingClient): Promise<string> => {
    const { rtpCapabilities } = joined;
    return (await viewer.request('consume', { producerId, rtpCapabilities, paused: false })).consumerId;
  };
  /** The next layer that Alice is notified of. */
  const wanted = async (): Promise<number> => {
    const notified = await alice.notified('producerLayersWanted');
    assert.equal(notified.producerId, producerId);
    return notified.spatialLayer;
  };
  return { join, joined, alice, bob, carol, consume, wanted };
}

test('S73 the owner of a video producer is notified of the highest layer that any peer wants', async (t) => {
  const { bob, carol, consume, wanted } = await meeting(t);
  assert.equal(await wanted(), -1, 'nobody receives it');
  const bobs = await consume(bob);
  assert.equal(await wanted(), 2, 'all layers where nothing is preferred');
  await bob.request('setPreferredLayers', { consumerId: bobs, spatialLayer: 0 });
  assert.equal(await wanted(), 0);
  const carols = await consume(carol);
  assert.equal(await wanted(), 2);
  await carol.request('setPreferredLayers', { consumerId: carols, spatialLayer: 1 });
  assert.equal(await wanted(), 1, 'the higher one of the two');
  await carol.request('pause', { consumerId: carols });
  assert.equal(await wanted(), 0, 'a paused consumer wants nothing');
  await carol.request('resume', { consumerId: carols });
  assert.equal(await wanted(), 1);
  await carol.request('closeConsumer', { consumerId: carols });
  assert.equal(await wanted(), 0);
  bob.close();
  assert.equal(await wanted(), -1);
});

test('S73 a layer that the producer does not have counts as its highest one, and SVC has layers too', async (t) => {
  const { bob, consume, wanted } = await meeting(t, 'video/VP9', [{ ssrc: 1001, scalabilityMode: 'L3T3_KEY' }]);
  assert.equal(await wanted(), -1);
  const consumerId = await consume(bob);
  assert.equal(await wanted(), 2);
  await bob.request('setPreferredLayers', { consumerId, spatialLayer: 1 });
  assert.equal(await wanted(), 1);
  await bob.request('setPreferredLayers', { consumerId, spatialLayer: 7 });
  assert.equal(await wanted(), 2);
});

test('S73 a resumed session gets the last layer that was wanted in its snapshot', async (t) => {
  const { join, joined, alice, bob, consume, wanted } = await meeting(t);
  assert.equal(await wanted(), -1);
  alice.socket.terminate();
  await alice.closed;
  const consumerId = await consume(bob);
  await bob.request('setPreferredLayers', { consumerId, spatialLayer: 1 });
  const { joined: resumed } = await join('alice', { sessionId: joined.sessionId });
  assert.equal(resumed.resumed, true);
  const [{ spatialLayerWanted }] = resumed.snapshot.ownProducers;
  assert.ok(spatialLayerWanted >= 1, `at least what is wanted, not ${spatialLayerWanted}`);
});
