import assert from 'node:assert/strict';
import { test } from 'node:test';
import { opusRtpParameters } from '../testing/opus.ts';
import { SignalingClient } from '../testing/SignalingClient.ts';
import { testDaemon } from '../testing/testDaemon.ts';

/** What a client receives from now on, in its order: the names of notifications, and `answer`. */
function record(client: SignalingClient): string[] {
  const names: string[] = [];
  client.socket.on('message', (text) => {
    const message = JSON.parse(text.toString());
    names.push(message.notification ? message.method : 'answer');
  });
  return names;
}

const produced = () => ({ kind: 'audio', rtpParameters: opusRtpParameters() });

test('S45 the answer to `joinRoom` comes first, nothing in it is announced again, and everything later is', async (t) => {
  const { url } = await testDaemon(t);
  const joins = Array.from({ length: 20 }, async (_, index) => {
    const peerId = `peer${index}`;
    const client = await SignalingClient.open(url, 'room', peerId);
    const received = record(client);
    const told: string[] = [];
    client.socket.on('message', (text) => {
      const { method, data } = JSON.parse(text.toString());
      if (method === 'peerJoined') told.push(data.peerId);
    });
    const { peers } = await client.request('joinRoom', { roomId: 'room', peerId, transports: ['send'] });
    const { producerId } = await client.request('produce', produced());
    return { client, peerId, producerId, received, told, listed: peers.map((peer: { peerId: string }) => peer.peerId) };
  });
  const everybody = await Promise.all(joins);
  for (const { client, peerId, received, told, listed } of everybody) {
    const others = everybody.filter((other) => other.peerId !== peerId);
    for (const { producerId } of others) await client.notified('newProducer', (data) => data.producerId === producerId);
    assert.equal(received[0], 'answer');
    assert.deepEqual([...listed, ...told].sort(), others.map((other) => other.peerId).sort(), 'each once');
    assert.ok(!client.unread.includes('newProducer'), 'each once');
  }
});

test('S43 when a peer leaves, its producers’ closing is announced before its leaving', async (t) => {
  const { url } = await testDaemon(t);
  const alice = await SignalingClient.open(url, 'room', 'alice');
  await alice.request('joinRoom', { roomId: 'room', peerId: 'alice', transports: ['send'] });
  const bob = await SignalingClient.join(url, 'room', 'bob');
  await alice.request('produce', produced());
  await alice.request('produceData', { sctpStreamParameters: { streamId: 1 } });
  await bob.notified('newDataProducer');
  const received = record(bob);
  alice.close();
  await bob.notified('peerLeft');
  assert.equal(received.pop(), 'peerLeft');
  assert.deepEqual(received.sort(), ['dataProducerClosed', 'producerClosed']);
});
