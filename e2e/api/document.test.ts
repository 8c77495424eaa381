import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { SignalingClient } from '@mediasoup-server/media-daemon/testing/SignalingClient';
import { OpusReceiver, OpusSender } from '../support/rtp.ts';
import { Stack } from '../support/stack.ts';
import { waitUntil } from '../support/waitUntil.ts';

/** One control plane and one daemon serve these tests: each has a room of its own. */
const stack = await Stack.start({ after });
const { url: daemonUrl } = await stack.startDaemon('daemon-a');

test('a frontend that follows only the API document exchanges media with one that has an assignment', async (t) => {
  const roomUrl = `${stack.controlPlaneUrl}/rooms/lobby`;
  assert.equal((await fetch(roomUrl)).status, 404);

  // Alice opens the daemon's address as the document says; every payload is the document's own.
  const alice = await SignalingClient.open(daemonUrl, 'lobby', 'alice');
  await alice.request('joinRoom', { roomId: 'lobby', peerId: 'alice' });
  const capabilities = (await (await fetch(roomUrl)).json()) as { codecs: unknown[]; headerExtensions: unknown[] };
  assert.deepEqual(Object.keys(capabilities), ['codecs', 'headerExtensions'], 'the control plane knows her room');
  const sending = await alice.request('createWebRtcTransport', { direction: 'send' });
  const sender = new OpusSender(sending, 4711);
  t.after(() => sender.close());
  await alice.request('connectWebRtcTransport', {
    transportId: sending.transportId,
    dtlsParameters: sender.dtlsParameters,
  });
  const produced = await alice.request('produce', { kind: 'audio', rtpParameters: sender.rtpParameters, appData: {} });

  // Bob asks for an assignment and lands in the same room.
  const assignment = await stack.assign('lobby', 'bob');
  assert.equal(assignment.daemonId, 'daemon-a');
  const bob = await SignalingClient.openUrl(assignment.url);
  await bob.request('joinRoom', { roomId: 'lobby', peerId: 'bob' });
  const { producerId } = await bob.notified('newProducer');
  assert.equal(producerId, produced.producerId);
  const receiving = await bob.request('createWebRtcTransport', { direction: 'recv' });
  const { consumerId, rtpParameters } = await bob.request('consume', { producerId, rtpCapabilities: capabilities });
  const receiver = new OpusReceiver(receiving, rtpParameters);
  t.after(() => receiver.close());
  await bob.request('connectWebRtcTransport', {
    transportId: receiving.transportId,
    dtlsParameters: receiver.dtlsParameters,
  });
  await bob.request('resume', { consumerId });
  await bob.notified('consumerResumed');
  await waitUntil('50 packets have come', () => receiver.received.length >= 50);

  await alice.request('closeProducer', { producerId });
  await bob.notified('producerClosed');
  alice.close();
  await bob.notified('peerLeft');
  bob.close();
  await waitUntil('the room is removed', async () => (await fetch(roomUrl)).status === 404);
});

test('a token of another peer or room is refused for good', async () => {
  const { url } = await stack.assign('hall', 'alice');
  for (const [from, to] of [
    ['peerId=alice', 'peerId=mallory'],
    ['roomId=hall', 'roomId=vault'],
  ] as const) {
    const client = await SignalingClient.openUrl(url.replace(from, to));
    assert.equal((await client.notified('error')).code, 401);
    assert.equal(await client.closed, 4000);
  }
});

test('S4 an invalid token resumes its session and does nothing else', async () => {
  const joining = { roomId: 'office', peerId: 'alice' };
  const { url } = await stack.assign('office', 'alice');
  const alice = await SignalingClient.openUrl(url);
  const { sessionId } = await alice.request('joinRoom', joining);
  alice.socket.terminate();
  const withoutToken = url.replace(/token=.*/, 'token=expired');
  const stranger = await SignalingClient.openUrl(withoutToken);
  assert.equal((await stranger.ask('joinRoom', { ...joining, sessionId: 'guessed' })).errorCode, 401);
  assert.equal(await stranger.closed, 4000);
  const again = await SignalingClient.openUrl(withoutToken);
  const { resumed } = await again.request('joinRoom', { ...joining, sessionId });
  assert.equal(resumed, true);
});

test('a daemon with the id of a running one is refused and ends', async () => {
  await assert.rejects(stack.startDaemon('daemon-a'), /ended with 1|fetch failed/);
  await SignalingClient.join(daemonUrl, 'kitchen', 'alice');
});

test('a room on one daemon is not opened on another', async () => {
  const other = await stack.startDaemon('daemon-b');
  await SignalingClient.join(daemonUrl, 'garden', 'alice');
  const bob = await SignalingClient.open(other.url, 'garden', 'bob');
  const answer = await bob.ask('joinRoom', { roomId: 'garden', peerId: 'bob' });
  assert.equal(answer.errorCode, 409);
  assert.match(answer.errorReason ?? '', /daemon-a/);
});
