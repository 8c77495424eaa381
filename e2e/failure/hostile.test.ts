import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { Client, credentials } from '@grpc/grpc-js';
import { serviceCalls } from '@mediasoup-server/backend-client/calls';
import { SignalingClient } from '@mediasoup-server/media-daemon/testing/SignalingClient';
import { MediaDaemon } from '@mediasoup-server/proto/daemon';
import { hostileFrames, hostileMessages, hostileRequests, thefts } from '../support/hostileMessages.ts';
import { assertNoGap, connectReceiver, connectSender } from '../support/rtp.ts';
import { runDaemon } from '../support/stack.ts';
import { waitUntil } from '../support/waitUntil.ts';

test('S14 each request of a hostile peer is answered, and a call in its room continues', async (t) => {
  const { ready, process: daemon } = await runDaemon(t, {
    // Some hostile frames only have the daemon close the socket after these times, which peers must keep on a busy machine.
    MEDIA_DAEMON_PING_INTERVAL_MS: '2000',
    MEDIA_DAEMON_JOIN_TIMEOUT_MS: '2000',
  });
  const url = String(ready.url);
  const client = new Client(`127.0.0.1:${ready.grpcPort}`, credentials.createInsecure());
  t.after(() => client.close());
  const workers = async () => (await serviceCalls(MediaDaemon, client).getInfo({})).workers.map(({ pid }) => pid);
  const before = await workers();

  const join = async (peerId: string) => {
    const peer = await SignalingClient.open(url, 'room', peerId);
    const joining = { roomId: 'room', peerId, transports: ['send', 'recv'] };
    return { peer, joined: await peer.request('joinRoom', joining) };
  };
  const alice = await join('alice');
  const bob = await join('bob');
  const producerId = await connectSender(t, alice.peer, alice.joined.transports.send);
  const { transports, rtpCapabilities } = bob.joined;
  const { consumerId } = await bob.peer.request('consume', { producerId, rtpCapabilities });
  const receiver = await connectReceiver(t, bob.peer, transports.recv, producerId, rtpCapabilities);
  const mallory = await join('mallory');

  let answered = 0;
  const failures: string[] = [];
  mallory.peer.socket.on('message', (data) => {
    const { response, errorCode, errorReason, notification, data: told } = JSON.parse(data.toString());
    if (response) answered++;
    if (errorCode === 500 || (notification && told.code === 500)) failures.push(errorReason ?? told.reason);
  });
  for (const message of hostileMessages) mallory.peer.socket.send(message);
  const stolen = thefts({ transportId: alice.joined.transports.send.transportId, producerId, consumerId });
  for (const message of stolen) mallory.peer.socket.send(message);
  const isAnswered = () => {
    assert.equal(mallory.peer.socket.readyState, 1, `her socket is lost after ${answered} answers`);
    return answered >= hostileRequests.length + stolen.length;
  };
  await waitUntil('each request is answered', isAnswered, () => answered);
  await mallory.peer.request('ping');
  assert.equal(answered, hostileRequests.length + stolen.length + 1);
  assert.deepEqual(failures, [], 'nothing that she sent is a failure of ours');

  await Promise.all(
    Object.entries(hostileFrames).map(async ([name, bytes]) => {
      await sendFrames(Number(new URL(url).port), bytes);
      assert.ok((await bob.peer.ask('ping')).ok, name);
    }),
  );
  mallory.peer.socket.send(JSON.stringify({ ['k'.repeat(1_048_576)]: 1 }));
  assert.equal(await mallory.peer.closed, 1009);
  await bob.peer.notified('peerLeft', ({ peerId }) => peerId === 'mallory');

  const received = receiver.received.length;
  await waitUntil('10 more packets arrive', () => receiver.received.length >= received + 10);
  assertNoGap(receiver.received);
  assert.equal(daemon.exitCode, null, 'the daemon is the process that it was');
  assert.deepEqual(await workers(), before, 'and so are its workers');
  await SignalingClient.join(url, 'room', 'carol');
});

/** Opens a WebSocket by hand, sends bytes and waits until the server closes it. */
async function sendFrames(port: number, bytes: readonly number[]): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.write(
    `GET /?roomId=room&peerId=raw HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}\r\nSec-WebSocket-Protocol: protoo\r\n\r\n`,
  );
  await new Promise((resolve) => socket.once('data', resolve));
  socket.write(Buffer.from(bytes));
  socket.resume();
  await closed;
}
