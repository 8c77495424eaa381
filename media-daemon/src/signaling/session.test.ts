import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { requests } from '@mediasoup-server/proto/signaling';
import { opusRtpParameters } from '../testing/opus.ts';
import { SignalingClient } from '../testing/SignalingClient.ts';
import { testDaemon } from '../testing/testDaemon.ts';

/** Alice, who sends and receives, and Bob, who watches. */
async function aliceAndBob(t: TestContext, environment: Record<string, string> = {}) {
  const daemon = await testDaemon(t, environment);
  const bob = await SignalingClient.open(daemon.url, 'room', 'bob');
  const { rtpCapabilities } = await bob.request('joinRoom', {
    roomId: 'room',
    peerId: 'bob',
    transports: ['send', 'recv'],
  });
  const alice = await SignalingClient.open(daemon.url, 'room', 'alice');
  const joined = await alice.request('joinRoom', {
    roomId: 'room',
    peerId: 'alice',
    transports: ['send', 'recv'],
  });
  const rtpParameters = opusRtpParameters();
  const { producerId } = await alice.request('produce', { kind: 'audio', rtpParameters, appData: { a: 1 } });
  const theirs = await bob.request('produce', { kind: 'audio', rtpParameters: opusRtpParameters(), appData: {} });
  const { consumerId } = await alice.request('consume', { producerId: theirs.producerId, rtpCapabilities });
  await bob.notified('peerJoined');
  return { ...daemon, alice, bob, joined, producerId, theirs: theirs.producerId, consumerId, rtpCapabilities };
}

/** Joins with the session's id. */
async function resume(url: string, sessionId: string, more: object = {}) {
  const client = await SignalingClient.open(url, 'room', 'alice');
  return { client, answer: await client.request('joinRoom', { roomId: 'room', peerId: 'alice', sessionId, ...more }) };
}

test('S25 a session goes on over a new socket with everything it had, and the others notice nothing', async (t) => {
  const { url, alice, bob, joined, producerId, theirs, consumerId, rtpCapabilities } = await aliceAndBob(t);
  alice.socket.terminate();
  const { client, answer } = await resume(url, joined.sessionId);
  requests.joinRoom.response.parse(answer);
  assert.equal(answer.resumed, true);
  assert.equal(answer.sessionId, joined.sessionId);
  assert.deepEqual(answer.peers, [{ peerId: 'bob', appData: {} }]);
  const { snapshot } = answer;
  assert.deepEqual(snapshot.ownProducers, [
    {
      producerId,
      transportId: joined.transports.send.transportId,
      mid: '0',
      kind: 'audio',
      appData: { a: 1 },
      paused: false,
    },
  ]);
  assert.deepEqual(
    snapshot.producers.map((producer: { producerId: string }) => producer.producerId),
    [theirs],
  );
  assert.deepEqual(snapshot.consumers, [{ consumerId, producerId: theirs, paused: true, producerPaused: false }]);
  assert.deepEqual(
    snapshot.transports.map((transport: { transportId: string }) => transport.transportId).sort(),
    [joined.transports.send.transportId, joined.transports.recv.transportId].sort(),
  );
  await client.request('resume', { consumerId });
  await bob.request('consume', { producerId, rtpCapabilities });
  assert.deepEqual(
    bob.unread.filter((name) => name.startsWith('peer')),
    [],
  );
  assert.deepEqual(
    client.unread.filter((name) => name === 'newProducer'),
    [],
    'the snapshot has them',
  );
});

test('S26 the snapshot has what happened while there was no socket', async (t) => {
  const { url, alice, bob, joined, theirs, consumerId } = await aliceAndBob(t);
  alice.socket.terminate();
  await bob.request('closeProducer', { producerId: theirs });
  const both = async () => {
    const { snapshot } = (await resume(url, joined.sessionId)).answer;
    assert.deepEqual(snapshot.producers, []);
    assert.deepEqual(snapshot.consumers, [], `${consumerId} ended with its producer`);
  };
  // The worker tells of the consumer's end a moment after the producer's.
  await t.waitFor(both, { interval: 10, timeout: 60_000 });
});

test('S50 the sessionId may be in the URL too, and that of `joinRoom` comes first', async (t) => {
  const { url, alice, joined } = await aliceAndBob(t);
  const { sessionId } = joined;
  const joining = { roomId: 'room', peerId: 'alice' };
  const open = (inUrl: string) =>
    SignalingClient.openUrl(`${url}/?roomId=room&peerId=alice&sessionId=${encodeURIComponent(inUrl)}`);
  alice.socket.terminate();
  const client = await open(sessionId);
  assert.equal((await client.request('joinRoom', joining)).resumed, true);
  const another = await open('an older one');
  assert.equal((await another.request('joinRoom', { ...joining, sessionId })).resumed, true);
});

test('S51 a resumed session gets the requested transports that it does not have', async (t) => {
  const { url } = await testDaemon(t);
  const joining = { roomId: 'room', peerId: 'alice' };
  const alice = await SignalingClient.open(url, 'room', 'alice');
  const { sessionId, transports } = await alice.request('joinRoom', { ...joining, transports: ['send'] });
  alice.socket.terminate();
  const { answer } = await resume(url, sessionId, { transports: ['send', 'recv'] });
  assert.deepEqual(Object.keys(answer.transports), ['recv']);
  const { snapshot } = answer;
  assert.deepEqual(
    snapshot.transports.map(({ transportId }: { transportId: string }) => transportId).sort(),
    [transports.send.transportId, answer.transports.recv.transportId].sort(),
  );
});

test('S28 a socket that resumes a session replaces the former one, which gets the reason', async (t) => {
  const { url, alice, joined, bob } = await aliceAndBob(t);
  const { answer } = await resume(url, joined.sessionId);
  assert.equal(answer.resumed, true);
  assert.equal((await alice.notified('error')).code, 409);
  assert.equal(await alice.closed, 4000);
  await bob.request('ping');
  assert.deepEqual(
    bob.unread.filter((name) => name === 'peerLeft'),
    [],
  );
});

test('S29 after the grace time the peer has left, and its sessionId joins as a new session', async (t) => {
  const { url, alice, bob, joined } = await aliceAndBob(t, { MEDIA_DAEMON_RESUME_GRACE_MS: '50' });
  alice.socket.terminate();
  await bob.notified('peerLeft', ({ peerId }) => peerId === 'alice');
  const { answer } = await resume(url, joined.sessionId);
  assert.equal(answer.resumed, false);
  assert.notEqual(answer.sessionId, joined.sessionId);
  assert.equal(answer.snapshot, undefined);
});

test('S10 a close frame of any code is leaving, at once', async (t) => {
  for (const code of [1000, 1001, 4321]) {
    const { alice, bob } = await aliceAndBob(t, { MEDIA_DAEMON_RESUME_GRACE_MS: '3600000' });
    alice.socket.close(code);
    await bob.notified('peerLeft', ({ peerId }) => peerId === 'alice');
  }
});

test('S30 the sessionId of another peer or room resumes nothing', async (t) => {
  const { url, joined } = await aliceAndBob(t);
  for (const [roomId, peerId] of [
    ['room', 'mallory'],
    ['other', 'alice'],
  ] as const) {
    const client = await SignalingClient.open(url, roomId, peerId);
    const answer = await client.request('joinRoom', { roomId, peerId, sessionId: joined.sessionId });
    assert.equal(answer.resumed, false);
  }
});

test('S27 a request whose socket was lost is done, and the snapshot waits for it', async (t) => {
  const { url, alice, joined } = await aliceAndBob(t);
  for (let count = 0; count < 5; count++) {
    const rtpParameters = { ...opusRtpParameters(), mid: `m${count}` };
    const data = { kind: 'audio', rtpParameters, appData: {} };
    alice.socket.send(JSON.stringify({ request: true, id: 100 + count, method: 'produce', data }));
  }
  await alice.request('ping');
  alice.socket.terminate();
  const { answer } = await resume(url, joined.sessionId);
  assert.deepEqual(answer.snapshot.ownProducers.map(({ mid }: { mid: string }) => mid).sort(), [
    '0',
    'm0',
    'm1',
    'm2',
    'm3',
    'm4',
  ]);
});

test('a transport that is still being created for the lost socket does not prevent the resumption', async (t) => {
  const { url } = await testDaemon(t);
  const alice = await SignalingClient.open(url, 'room', 'alice');
  const { sessionId } = await alice.request('joinRoom', { roomId: 'room', peerId: 'alice' });
  // Open already, so that what both sockets ask comes in together.
  const again = await SignalingClient.open(url, 'room', 'alice');
  for (const [id, direction] of ['send', 'recv'].entries())
    alice.socket.send(JSON.stringify({ request: true, id, method: 'createWebRtcTransport', data: { direction } }));
  const joining = { roomId: 'room', peerId: 'alice', sessionId, transports: ['send', 'recv'] };
  const { resumed, transports, snapshot } = await again.request('joinRoom', joining);
  assert.equal(resumed, true);
  assert.deepEqual(transports, {}, 'the snapshot has them');
  assert.equal(snapshot.transports.length, 2);
});

test('S12 every request is answered before the connection closes', async (t) => {
  const { alice, consumerId } = await aliceAndBob(t);
  const answers = Promise.all(Array.from({ length: 20 }, () => alice.ask('resume', { consumerId })));
  const left = alice.ask('leaveRoom');
  const after = alice.ask('ping');
  after.catch(() => {});
  assert.ok((await left).ok);
  for (const answer of await answers) assert.ok(answer.ok || answer.errorCode === 503);
  assert.equal(await alice.closed, 4000);
});
