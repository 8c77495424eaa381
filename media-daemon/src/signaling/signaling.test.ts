import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { errorCodeOf, errorCodes } from '@mediasoup-server/proto/errorCodes';
import { requests } from '@mediasoup-server/proto/signaling';
import { WebSocket } from 'ws';
import { opusRtpParameters } from '../testing/opus.ts';
import { SignalingClient } from '../testing/SignalingClient.ts';
import { testDaemon } from '../testing/testDaemon.ts';

const fingerprints = [{ algorithm: 'sha-256', value: Array(32).fill('AB').join(':') }];

/** Two peers in a room, the one with a producer, the other with a consumer of it. */
async function consuming(t: TestContext) {
  const { url, httpUrl } = await testDaemon(t);
  const alice = await SignalingClient.join(url, 'room', 'alice');
  await alice.request('createWebRtcTransport', { direction: 'send' });
  const { producerId } = await alice.request('produce', {
    kind: 'audio',
    rtpParameters: opusRtpParameters(),
    appData: {},
  });
  const bob = await SignalingClient.open(url, 'room', 'bob');
  const { rtpCapabilities } = await bob.request('joinRoom', { roomId: 'room', peerId: 'bob' });
  await bob.request('createWebRtcTransport', { direction: 'recv' });
  const consumer = await bob.request('consume', { producerId, rtpCapabilities });
  return { url, httpUrl, alice, bob, producerId, rtpCapabilities, consumer };
}

test('S7 `joinRoom` answers the capabilities, the peers and both transports', async (t) => {
  const { url } = await testDaemon(t);
  const alice = await SignalingClient.open(url, 'room', 'alice');
  const answer = await alice.request('joinRoom', { roomId: 'room', peerId: 'alice', transports: ['send', 'recv'] });
  requests.joinRoom.response.parse(answer);
  assert.deepEqual(answer.peers, []);
  assert.notEqual(answer.transports.send.transportId, answer.transports.recv.transportId);
  const bob = await SignalingClient.open(url, 'room', 'bob');
  const { peers } = await bob.request('joinRoom', { roomId: 'room', peerId: 'bob', appData: { name: 'Bob' } });
  assert.deepEqual(peers, [{ peerId: 'alice', appData: {} }]);
  assert.deepEqual(await alice.notified('peerJoined'), { peerId: 'bob', appData: { name: 'Bob' } });
});

test('S8 a producer is announced to present peers and to those that join later', async (t) => {
  const { url } = await testDaemon(t);
  const alice = await SignalingClient.join(url, 'room', 'alice');
  const bob = await SignalingClient.join(url, 'room', 'bob');
  await alice.request('createWebRtcTransport', { direction: 'send' });
  const { producerId } = await alice.request('produce', {
    kind: 'audio',
    rtpParameters: opusRtpParameters(),
    appData: { a: 1 },
  });
  const announced = { producerId, kind: 'audio', peerId: 'alice', appData: { a: 1 }, paused: false };
  assert.deepEqual(await bob.notified('newProducer'), announced);
  const carol = await SignalingClient.join(url, 'room', 'carol');
  assert.deepEqual(await carol.notified('newProducer'), announced);
  await carol.request('ping');
  assert.deepEqual(carol.unread, [], 'announced once');
  assert.deepEqual(
    alice.unread.filter((name) => name === 'newProducer'),
    [],
    'not to its owner',
  );
});

test('S17 `consume` returns a paused consumer, unless the client asks for an unpaused one', async (t) => {
  const { consumer, producerId } = await consuming(t);
  requests.consume.response.parse(consumer);
  assert.equal(consumer.producerId, producerId);
  assert.equal(consumer.peerId, 'alice');
});

test('`resume` and `pause` notify `consumerResumed` and `consumerPaused`', async (t) => {
  const { bob, consumer } = await consuming(t);
  const { consumerId } = consumer;
  await bob.request('resume', { consumerId });
  assert.deepEqual(await bob.notified('consumerResumed'), { consumerId });
  await bob.request('pause', { consumerId });
  assert.deepEqual(await bob.notified('consumerPaused'), { consumerId });
});

test('S18 pausing the producer notifies its consumers of the effective state only', async (t) => {
  const { alice, bob, producerId, consumer } = await consuming(t);
  const { consumerId } = consumer;
  await alice.request('pauseProducer', { producerId });
  await bob.request('resume', { consumerId });
  await bob.request('ping');
  assert.deepEqual(
    bob.unread.filter((name) => name.startsWith('consumer')),
    [],
    'it was paused and still is',
  );
  await alice.request('resumeProducer', { producerId });
  assert.deepEqual(await bob.notified('consumerResumed'), { consumerId });
  await alice.request('pauseProducer', { producerId });
  assert.deepEqual(await bob.notified('consumerPaused'), { consumerId });
});

test('S19 `closeProducer` notifies `producerClosed` and ends the consumers', async (t) => {
  const { alice, bob, producerId, consumer } = await consuming(t);
  await alice.request('closeProducer', { producerId });
  assert.deepEqual(await bob.notified('producerClosed'), { producerId, peerId: 'alice' });
  assert.equal((await bob.ask('resume', { consumerId: consumer.consumerId })).errorCode, 404);
});

test('S16 `connectWebRtcTransport` and `restartIce` act on an own transport, the first once', async (t) => {
  const { url } = await testDaemon(t);
  const alice = await SignalingClient.join(url, 'room', 'alice');
  const { transportId, iceParameters } = await alice.request('createWebRtcTransport', { direction: 'send' });
  const connecting = { transportId, dtlsParameters: { role: 'client', fingerprints } };
  for (const wrong of [
    { algorithm: 'sha-256', value: 'nonsense' },
    { algorithm: 'sha-256', value: 'AB:CD' },
    { algorithm: 'md5', value: 'AB:CD' },
  ]) {
    const dtlsParameters = { role: 'client', fingerprints: [wrong] };
    assert.equal((await alice.ask('connectWebRtcTransport', { transportId, dtlsParameters })).errorCode, 400);
  }
  await alice.request('connectWebRtcTransport', connecting);
  assert.equal((await alice.ask('connectWebRtcTransport', connecting)).errorCode, 409);
  assert.equal((await alice.ask('createWebRtcTransport', { direction: 'send' })).errorCode, 409);
  const restarted = await alice.request('restartIce', { transportId });
  assert.notEqual(restarted.iceParameters.usernameFragment, iceParameters.usernameFragment);
});

test('S11 leaving is announced, and the room closes with its last peer', async (t) => {
  const { alice, bob, httpUrl, producerId } = await consuming(t);
  assert.equal((await fetch(`${httpUrl}/rooms/room`)).status, 200);
  await alice.request('leaveRoom');
  assert.equal(await alice.closed, 4000);
  assert.deepEqual(await bob.notified('producerClosed'), { producerId, peerId: 'alice' });
  assert.deepEqual(await bob.notified('peerLeft'), { peerId: 'alice' });
  bob.close();
  await bob.closed;
  while ((await fetch(`${httpUrl}/rooms/room`)).status !== 404);
});

test('S9 a peer that connects again replaces its former socket', async (t) => {
  const { url } = await testDaemon(t);
  const old = await SignalingClient.join(url, 'room', 'alice');
  const bob = await SignalingClient.join(url, 'room', 'bob');
  const anew = await SignalingClient.join(url, 'room', 'alice');
  assert.equal((await old.notified('error')).code, 409);
  assert.equal(await old.closed, 4000);
  assert.deepEqual(await bob.notified('peerLeft'), { peerId: 'alice' });
  await bob.notified('peerJoined', ({ peerId }) => peerId === 'alice');
  await anew.request('ping');
});

test('S13 a notification that names a method acts as the request, and its failure comes back as `error`', async (t) => {
  const { url, httpUrl } = await testDaemon(t);
  const alice = await SignalingClient.open(url, 'room', 'alice');
  const emit = (method: string, data: unknown) =>
    alice.socket.send(JSON.stringify({ notification: true, method, data }));
  emit('produce', {});
  assert.equal((await alice.notified('error')).method, 'produce');
  emit('joinRoom', { roomId: 'room', peerId: 'alice' });
  while ((await fetch(`${httpUrl}/rooms/room`)).status !== 200);
});

test('S15 wrong requests are answered with their code, and the connection goes on', async (t) => {
  const { url, alice, bob, producerId, rtpCapabilities } = await consuming(t);
  const stranger = await SignalingClient.open(url, 'room', 'stranger');
  assert.equal((await stranger.ask('produce', { kind: 'audio', rtpParameters: opusRtpParameters() })).errorCode, 409);
  const cases: [SignalingClient, string, unknown, number][] = [
    [alice, 'nonsense', {}, 404],
    [alice, '__proto__', {}, 404],
    [alice, 'joinRoom', { roomId: 'other', peerId: 'alice' }, 403],
    [alice, 'joinRoom', { roomId: 'room', peerId: 'bob' }, 403],
    [alice, 'joinRoom', { roomId: 'room', peerId: 'alice' }, 409],
    [alice, 'joinRoom', null, 400],
    [alice, 'joinRoom', [], 400],
    [alice, 'produce', { kind: 'smell', rtpParameters: opusRtpParameters() }, 400],
    [alice, 'produce', { kind: 'audio', rtpParameters: 7 }, 400],
    [alice, 'produce', { kind: 'audio', rtpParameters: { codecs: [{ mimeType: 'audio/none' }] } }, 400],
    [alice, 'consume', { producerId, rtpCapabilities }, 409],
    [alice, 'consume', { producerId: 'none', rtpCapabilities }, 404],
    [bob, 'consume', { producerId, rtpCapabilities: { codecs: [] } }, 422],
    [bob, 'closeProducer', { producerId }, 404],
    [bob, 'pauseProducer', { producerId }, 404],
    [bob, 'resume', { consumerId: 'none' }, 404],
    [bob, 'connectWebRtcTransport', { transportId: 'none', dtlsParameters: { fingerprints } }, 404],
    [bob, 'connectWebRtcTransport', { transportId: 'none', dtlsParameters: { fingerprints: [] } }, 400],
    [bob, 'createWebRtcTransport', { direction: 'up' }, 400],
  ];
  for (const [client, method, data, code] of cases) {
    const answer = await client.ask(method, data);
    assert.equal(answer.errorCode, code, `${method} ${JSON.stringify(data)}: ${answer.errorReason}`);
    const reason = answer.errorReason ?? '';
    assert.equal(errorCodes[errorCodeOf(reason) ?? 'INTERNAL'].http, code, reason);
  }
  await alice.request('ping');
});

test('an SSRC, a MID or an SCTP stream that the peer uses already is refused with 409', async (t) => {
  const { url } = await testDaemon(t);
  const alice = await SignalingClient.join(url, 'room', 'alice');
  await alice.request('createWebRtcTransport', { direction: 'send' });
  const first = opusRtpParameters();
  await alice.request('produce', { kind: 'audio', rtpParameters: first });
  await alice.request('produceData', { sctpStreamParameters: { streamId: 1 } });
  const taken: [string, unknown, RegExp][] = [
    ['produce', { kind: 'audio', rtpParameters: opusRtpParameters() }, /MID/],
    ['produce', { kind: 'audio', rtpParameters: { ...first, mid: '1' } }, /ssrc/],
    ['produceData', { sctpStreamParameters: { streamId: 1 } }, /streamId/],
  ];
  for (const [method, data, reason] of taken) {
    const { errorCode, errorReason } = await alice.ask(method, data);
    assert.equal(errorCode, 409);
    assert.match(errorReason ?? '', reason);
  }
});

test('a message without `data` is one with empty data', async (t) => {
  const { url } = await testDaemon(t);
  const alice = await SignalingClient.join(url, 'room', 'alice');
  const answer = new Promise<string>((resolve) => alice.socket.once('message', (data) => resolve(data.toString())));
  alice.socket.send('{"request":true,"id":7,"method":"ping"}');
  assert.deepEqual(JSON.parse(await answer), { response: true, id: 7, ok: true, data: {} });
  alice.socket.send('{"response":true,"id":7,"errorCode":500}');
  alice.socket.send('{"notification":true,"method":"leaveRoom"}');
  assert.equal(await alice.closed, 4000);
  assert.deepEqual(alice.unread, []);
});

test('S14 the sender of an invalid message gets an error, and nobody else is affected', async (t) => {
  const { url } = await testDaemon(t);
  const alice = await SignalingClient.join(url, 'room', 'alice');
  const bob = await SignalingClient.join(url, 'room', 'bob');
  const texts = [
    'null',
    '[]',
    '7',
    '"text"',
    'not JSON',
    '{}',
    '{"request":true}',
    '{"request":true,"id":"1","method":"ping"}',
    '',
  ];
  for (const text of texts) {
    alice.socket.send(text);
    assert.equal((await alice.notified('error')).code, 400, text);
  }
  alice.socket.send(Buffer.from([1, 2, 3]));
  assert.equal((await alice.notified('error')).code, 400);
  await alice.request('ping');
  await bob.request('ping');
  assert.deepEqual(bob.unread, []);
});

test('S46 a message above the bound closes the connection with 1009, and its peer has left', async (t) => {
  const { url } = await testDaemon(t, { MEDIA_DAEMON_MAX_FRAME_BYTES: '1024' });
  const alice = await SignalingClient.join(url, 'room', 'alice');
  const bob = await SignalingClient.join(url, 'room', 'bob');
  const ping = { request: true, id: 1, method: 'ping' };
  const { length } = JSON.stringify({ ...ping, data: '' });
  alice.socket.send(JSON.stringify({ ...ping, data: 'x'.repeat(1024 - length) }));
  await alice.request('ping');
  alice.socket.send(JSON.stringify({ ...ping, data: 'x'.repeat(1025 - length) }));
  assert.equal(await alice.closed, 1009);
  await bob.notified('peerLeft');
});

test('S1 a connection without valid ids gets the reason and is closed for good', async (t) => {
  const { url } = await testDaemon(t);
  const queries = [
    '',
    '?roomId=room',
    '?peerId=alice',
    '?roomId=&peerId=alice',
    '?roomId=room&peerId=%00',
    '?roomId=..&peerId=a',
    `?roomId=${'x'.repeat(129)}&peerId=a`,
  ];
  for (const query of queries) {
    const client = await SignalingClient.openUrl(`${url}/${query}`);
    const { code, reason } = await client.notified('error');
    assert.equal(code, 400);
    assert.match(reason, /roomId|peerId/);
    assert.equal(await client.closed, 4000);
  }
});

test('S2 a wrong subprotocol is refused with the reason', async (t) => {
  const { url } = await testDaemon(t);
  for (const protocols of [[], ['other']]) {
    const socket = new WebSocket(url, protocols);
    const body = await new Promise<string>((resolve, reject) => {
      socket.once('unexpected-response', (_request, response) => {
        let text = '';
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () => resolve(text));
      });
      socket.once('open', () => reject(new Error('opened')));
      socket.on('error', () => {});
    });
    assert.match(JSON.parse(body).detail, /protoo/);
  }
});

test('S2 a client that never ends its half of a refused upgrade keeps no socket', async (t) => {
  const { url } = await testDaemon(t);
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port), allowHalfOpen: true });
  t.after(() => socket.destroy());
  socket.on('error', () => {}).resume();
  socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  await once(socket, 'end');
  // What is sent to a socket that is gone comes back as a reset.
  while (!socket.destroyed) await new Promise((resolve) => socket.write('any', resolve));
});

test('S3 a connection that does not join in time is closed', async (t) => {
  const { url } = await testDaemon(t, { MEDIA_DAEMON_JOIN_TIMEOUT_MS: '50' });
  const client = await SignalingClient.open(url, 'room', 'alice');
  assert.equal((await client.notified('error')).code, 408);
  assert.equal(await client.closed, 4000);
});

test('S4 a token that cannot be checked yet is refused for now', async (t) => {
  const { url } = await testDaemon(t, {
    MEDIA_DAEMON_CONTROL_PLANE_URL: 'http://127.0.0.1:1',
    MEDIA_DAEMON_DAEMON_KEY: 'a key of the tests alone',
  });
  const client = await SignalingClient.openUrl(`${url}/?roomId=room&peerId=alice&token=any`);
  assert.equal((await client.notified('error')).code, 503);
  assert.equal(await client.closed, 1012);
});

test('S7 `joinRoom` answers the STUN and TURN servers that are configured', async (t) => {
  const iceServers = [{ urls: 'stun:stun.example.com' }];
  const { url } = await testDaemon(t, { MEDIA_DAEMON_ICE_SERVERS: JSON.stringify(iceServers) });
  const alice = await SignalingClient.open(url, 'room', 'alice');
  assert.deepEqual((await alice.request('joinRoom', { roomId: 'room', peerId: 'alice' })).iceServers, iceServers);
});

test('S6 a socket that leaves a ping unanswered is cut', async (t) => {
  const { url } = await testDaemon(t, { MEDIA_DAEMON_PING_INTERVAL_MS: '50' });
  const bob = await SignalingClient.join(url, 'room', 'bob');
  const { port } = new URL(url);
  const silent = connect(Number(port), '127.0.0.1');
  t.after(() => silent.destroy());
  silent.write(
    `GET /?roomId=room&peerId=silent HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}\r\nSec-WebSocket-Protocol: protoo\r\n\r\n`,
  );
  silent.resume();
  await new Promise((resolve) => silent.once('close', resolve));
  await bob.request('ping');
});
