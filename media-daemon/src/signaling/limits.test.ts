import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { WebSocket } from 'ws';
import { opusRtpParameters } from '../testing/opus.ts';
import { SignalingClient } from '../testing/SignalingClient.ts';
import { testDaemon } from '../testing/testDaemon.ts';
import { unlimitedRates } from '../testing/unlimitedRates.ts';

/** The value of a metric, with its labels as Prometheus writes them. */
async function metric(metricsPort: number, name: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `));
  return Number(line?.split(' ')[1] ?? 0);
}

const limited = (metricsPort: number, limit: string) =>
  metric(metricsPort, `media_daemon_limited_total{limit="${limit}"}`);

/** The answer to a refused upgrade. */
function refusal(url: string, headers: Record<string, string> = {}) {
  return new Promise<{ status: number | undefined; retryAfter: string | undefined; code: string }>(
    (resolve, reject) => {
      const socket = new WebSocket(url, 'protoo', { headers });
      socket.on('error', () => {});
      socket.once('open', () => reject(new Error('opened')));
      socket.once('unexpected-response', (_request, response) => {
        let body = '';
        response.on('data', (chunk) => {
          body += chunk;
        });
        response.on('end', () =>
          resolve({
            status: response.statusCode,
            retryAfter: response.headers['retry-after'],
            code: JSON.parse(body).code,
          }),
        );
      });
    },
  );
}

test('S31 requests beyond the message rate are answered with 429 and counted, and the peer stays', async (t) => {
  const { url, metricsPort } = await testDaemon(t, {
    MEDIA_DAEMON_MESSAGES_PER_SECOND: '1',
    MEDIA_DAEMON_MESSAGE_BURST: '10',
  });
  const alice = await SignalingClient.join(url, 'room', 'alice');
  const answers = await Promise.all(Array.from({ length: 15 }, () => alice.ask('ping')));
  const refused = answers.filter((answer) => answer.errorCode === 429);
  assert.ok(refused.length >= 5, `${refused.length} were refused`);
  assert.match(refused[0]?.errorReason ?? '', /messageRate/);
  assert.ok((await limited(metricsPort, 'messageRate')) >= 5);
  while (!(await alice.ask('ping')).ok);
});

test('S32 a socket that floods is read slowly, and all of it is answered', async (t) => {
  const { url } = await testDaemon(t, {
    MEDIA_DAEMON_MESSAGES_PER_SECOND: '1000',
    MEDIA_DAEMON_MESSAGE_BURST: '100',
  });
  const alice = await SignalingClient.join(url, 'room', 'alice');
  const answers = await Promise.all(Array.from({ length: 1000 }, () => alice.ask('ping')));
  assert.equal(answers.length, 1000);
  assert.ok(answers.some((answer) => answer.errorCode === 429));
});

test('S33 a peer has no more producers and consumers than allowed, also when asked for at once', async (t) => {
  const { url, metricsPort } = await testDaemon(t, {
    MEDIA_DAEMON_MAX_PEER_PRODUCERS: '2',
    MEDIA_DAEMON_MAX_PEER_CONSUMERS: '1',
    MEDIA_DAEMON_MAX_PEER_DATA_PRODUCERS: '1',
    MEDIA_DAEMON_MAX_PEER_DATA_CONSUMERS: '1',
  });
  const alice = await SignalingClient.join(url, 'room', 'alice');
  await alice.request('createWebRtcTransport', { direction: 'send' });
  const produced = await Promise.all(
    Array.from({ length: 5 }, (_, mid) =>
      alice.ask('produce', { kind: 'audio', rtpParameters: { ...opusRtpParameters(), mid: `${mid}` } }),
    ),
  );
  const made = produced.filter(({ ok }) => ok).map(({ data }) => (data as { producerId: string }).producerId);
  assert.equal(made.length, 2);
  assert.deepEqual(new Set(produced.filter(({ ok }) => !ok).map(({ errorCode }) => errorCode)), new Set([429]));
  await alice.request('closeProducer', { producerId: made[0] });
  await alice.request('produce', { kind: 'audio', rtpParameters: { ...opusRtpParameters(), mid: '9' } });

  const bob = await SignalingClient.open(url, 'room', 'bob');
  const { rtpCapabilities } = await bob.request('joinRoom', { roomId: 'room', peerId: 'bob', transports: ['recv'] });
  await bob.request('consume', { producerId: made[1], rtpCapabilities });
  assert.equal((await bob.ask('consume', { producerId: made[1], rtpCapabilities })).errorCode, 429);

  const { dataProducerId } = await alice.request('produceData', { sctpStreamParameters: { streamId: 1 } });
  assert.equal((await alice.ask('produceData', { sctpStreamParameters: { streamId: 2 } })).errorCode, 429);
  await bob.request('consumeData', { dataProducerId });
  assert.equal((await bob.ask('consumeData', { dataProducerId })).errorCode, 429);
  const counted = { peerProducers: 3, peerConsumers: 1, peerDataProducers: 1, peerDataConsumers: 1 };
  for (const [limit, times] of Object.entries(counted)) assert.equal(await limited(metricsPort, limit), times, limit);
});

test('S34 a full room refuses with 503, and says so', async (t) => {
  const { url, metricsPort } = await testDaemon(t, { MEDIA_DAEMON_MAX_ROOM_PEERS: '1' });
  await SignalingClient.join(url, 'room', 'alice');
  const bob = await SignalingClient.open(url, 'room', 'bob');
  const { errorCode, errorReason } = await bob.ask('joinRoom', { roomId: 'room', peerId: 'bob' });
  assert.equal(errorCode, 503);
  assert.match(String(errorReason), /^ROOM_FULL: /);
  assert.equal(await limited(metricsPort, 'roomPeers'), 1);
  await SignalingClient.join(url, 'room', 'alice');
});

test('S42 a `joinRoom` that was refused may be asked again over the same connection', async (t) => {
  const { url } = await testDaemon(t, { MEDIA_DAEMON_MAX_ROOM_PEERS: '1' });
  const alice = await SignalingClient.join(url, 'room', 'alice');
  const bob = await SignalingClient.open(url, 'room', 'bob');
  const join = () => bob.ask('joinRoom', { roomId: 'room', peerId: 'bob' });
  assert.equal((await join()).errorCode, 503);
  alice.close();
  while (!(await join()).ok);
  assert.ok((await bob.ask('updateAppData', { appData: {} })).ok);
});

test('S5 a full daemon refuses the upgrade with 503 and Retry-After, but not for its own peers', async (t) => {
  const { url, metricsPort } = await testDaemon(t, { MEDIA_DAEMON_MAX_PEERS: '1' });
  await SignalingClient.join(url, 'room', 'alice');
  const { status, retryAfter, code } = await refusal(`${url}/?roomId=room&peerId=bob`);
  assert.equal(status, 503);
  assert.equal(code, 'NO_CAPACITY');
  assert.ok(Number(retryAfter) > 0);
  assert.equal(await limited(metricsPort, 'peers'), 1);
  await SignalingClient.join(url, 'room', 'alice');
});

test('S35 one address opens no more sockets than allowed', async (t: TestContext) => {
  const { url, metricsPort } = await testDaemon(t, { MEDIA_DAEMON_MAX_IP_SOCKETS: '2' });
  const first = await SignalingClient.join(url, 'room', 'alice');
  await SignalingClient.join(url, 'room', 'bob');
  assert.equal((await refusal(`${url}/?roomId=room&peerId=carol`)).status, 429);
  assert.equal(await limited(metricsPort, 'ipSockets'), 1);
  first.close();
  await first.closed;
  while ((await metric(metricsPort, 'media_daemon_sockets')) > 1);
  await SignalingClient.join(url, 'room', 'carol');
});

test('half-sent requests of one address are limited, and a peer of another address joins', async (t) => {
  const { listenPort, url, metricsPort } = await testDaemon(t, { MEDIA_DAEMON_MAX_IP_CONNECTIONS: '3' });
  for (let count = 0; count < 10; count++) {
    const socket = connect({ port: listenPort, host: '127.0.0.1', localAddress: '127.0.0.2' });
    t.after(() => socket.destroy());
    socket.on('error', () => {}).write('GET / HTTP/1.1\r\nHo');
  }
  await t.waitFor(async () => assert.equal(await limited(metricsPort, 'ipConnections'), 7), { timeout: 30_000 });
  await SignalingClient.join(url, 'room', 'alice');
});

test('S36 one address opens sockets no faster than allowed, and proxies are believed only where trusted', async (t) => {
  const rate = { MEDIA_DAEMON_IP_SOCKETS_PER_SECOND: '1', MEDIA_DAEMON_IP_SOCKET_BURST: '1' };
  const from = (ip: string) => ({ 'X-Forwarded-For': ip });
  const open = async (url: string, ip: string) => {
    const socket = new WebSocket(`${url}/?roomId=room&peerId=p`, 'protoo', { headers: from(ip) });
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  };
  const direct = await testDaemon(t, rate);
  await open(direct.url, '198.51.100.1');
  assert.equal((await refusal(`${direct.url}/?roomId=room&peerId=p`, from('198.51.100.2'))).status, 429);

  const proxied = await testDaemon(t, { ...rate, MEDIA_DAEMON_TRUSTED_PROXIES: '127.0.0.0/8' });
  await open(proxied.url, '198.51.100.1');
  await open(proxied.url, '198.51.100.2');
  await open(proxied.url, '2001:db8::1');
  const neighbour = await refusal(`${proxied.url}/?roomId=room&peerId=p`, from('2001:db8::2'));
  assert.equal(neighbour.status, 429, 'an IPv6 subscriber has a whole /64');
  assert.equal(await limited(proxied.metricsPort, 'ipSocketRate'), 1);
});

test('S37 a peer cut for reading nothing may resume', async (t) => {
  const { url, metricsPort } = await testDaemon(t, {
    MEDIA_DAEMON_MAX_BUFFERED_BYTES: '65536',
    ...unlimitedRates,
  });
  const alice = await SignalingClient.open(url, 'room', 'alice');
  const { sessionId } = await alice.request('joinRoom', { roomId: 'room', peerId: 'alice' });
  const bob = await SignalingClient.join(url, 'room', 'bob');
  alice.socket.pause();
  const appData = { text: 'x'.repeat(15_000) };
  await bob.request('updateAppData', { appData });
  // Nothing of an announced data producer can be left out.
  await bob.request('createWebRtcTransport', { direction: 'send' });
  const announced = { sctpStreamParameters: { streamId: 1 }, appData };
  while ((await limited(metricsPort, 'bufferedBytes')) === 0)
    await bob.request('closeDataProducer', await bob.request('produceData', announced));
  const again = await SignalingClient.open(url, 'room', 'alice');
  const answer = await again.request('joinRoom', { roomId: 'room', peerId: 'alice', sessionId });
  assert.equal(answer.resumed, true);
  assert.deepEqual(answer.peers, [{ peerId: 'bob', appData }]);
});

test('S66 a peer’s announcements are limited, whatever causes them, also when it joins again', async (t) => {
  const { url, metricsPort } = await testDaemon(t, {
    MEDIA_DAEMON_ANNOUNCEMENTS_PER_SECOND: '1',
    MEDIA_DAEMON_ANNOUNCEMENT_BURST: '10',
  });
  const alice = await SignalingClient.join(url, 'room', 'alice');
  const bob = await SignalingClient.join(url, 'room', 'bob');
  await alice.request('createWebRtcTransport', { direction: 'send' });
  const { producerId } = await alice.request('produce', { kind: 'audio', rtpParameters: opusRtpParameters() });
  await alice.request('pauseProducer', { producerId });
  // This costs 16 and leaves a debt.
  await alice.request('updateAppData', { appData: { text: 'x'.repeat(15_000) } });
  for (const [method, data] of [
    ['updateAppData', { appData: {} }],
    ['resumeProducer', { producerId }],
    ['produce', { kind: 'audio', rtpParameters: { ...opusRtpParameters(), mid: '1' } }],
    ['produceData', { sctpStreamParameters: { streamId: 1 } }],
  ] as const) {
    const { errorCode, errorReason } = await alice.ask(method, data);
    assert.equal(errorCode, 429, method);
    assert.match(String(errorReason), /^TOO_MANY_REQUESTS: announcementRate/);
  }
  await alice.request('closeProducer', { producerId });
  await alice.request('leaveRoom');
  await bob.notified('peerLeft');
  const again = await SignalingClient.open(url, 'room', 'alice');
  assert.equal((await again.ask('joinRoom', { roomId: 'room', peerId: 'alice' })).errorCode, 429);
  assert.equal(await limited(metricsPort, 'announcementRate'), 5);
  await bob.request('updateAppData', { appData: {} });
});

test('S66 the application data of all peers of a room together is limited', async (t) => {
  const { url, metricsPort } = await testDaemon(t, {
    MEDIA_DAEMON_ROOM_UPDATES_PER_SECOND: '1',
    MEDIA_DAEMON_ROOM_UPDATE_BURST: '10',
  });
  const alice = await SignalingClient.join(url, 'room', 'alice');
  const bob = await SignalingClient.join(url, 'room', 'bob');
  const elsewhere = await SignalingClient.join(url, 'another room', 'carol');
  await alice.request('updateAppData', { appData: { text: 'x'.repeat(15_000) } });
  const { errorCode, errorReason } = await bob.ask('updateAppData', { appData: {} });
  assert.equal(errorCode, 429);
  assert.match(String(errorReason), /^TOO_MANY_REQUESTS: roomUpdateRate/);
  assert.equal(await limited(metricsPort, 'roomUpdateRate'), 1);
  await elsewhere.request('updateAppData', { appData: {} });
});

test('S66 a producer that is paused and resumed without waiting for the answers is limited too', async (t) => {
  const { url } = await testDaemon(t, {
    MEDIA_DAEMON_ANNOUNCEMENTS_PER_SECOND: '1',
    MEDIA_DAEMON_ANNOUNCEMENT_BURST: '10',
  });
  const alice = await SignalingClient.join(url, 'room', 'alice');
  const bob = await SignalingClient.open(url, 'room', 'bob');
  const { rtpCapabilities } = await bob.request('joinRoom', { roomId: 'room', peerId: 'bob', transports: ['recv'] });
  await alice.request('createWebRtcTransport', { direction: 'send' });
  const { producerId } = await alice.request('produce', { kind: 'audio', rtpParameters: opusRtpParameters() });
  await bob.request('consume', { producerId, rtpCapabilities, paused: false });
  const answers = await Promise.all(
    Array.from({ length: 40 }, (_, turn) => alice.ask(turn % 2 ? 'resumeProducer' : 'pauseProducer', { producerId })),
  );
  assert.ok(answers.filter(({ errorCode }) => errorCode === 429).length >= 10);
  await bob.request('ping');
  assert.ok(bob.unread.filter((name) => name === 'consumerResumed').length < 11, bob.unread.join());
});

test('S66 long application data of all peers of a room is limited, whatever carries it', async (t) => {
  const { url, metricsPort } = await testDaemon(t, {
    MEDIA_DAEMON_ROOM_UPDATES_PER_SECOND: '1',
    MEDIA_DAEMON_ROOM_UPDATE_BURST: '10',
  });
  const appData = { text: 'x'.repeat(15_000) };
  const alice = await SignalingClient.open(url, 'room', 'alice');
  await alice.request('joinRoom', { roomId: 'room', peerId: 'alice', appData });
  const bob = await SignalingClient.open(url, 'room', 'bob');
  assert.equal((await bob.ask('joinRoom', { roomId: 'room', peerId: 'bob', appData })).errorCode, 429);
  // A name and a picture's address still fit, so that nobody is kept out.
  await bob.request('joinRoom', { roomId: 'room', peerId: 'bob', appData: { text: 'x'.repeat(1000) } });
  await bob.request('createWebRtcTransport', { direction: 'send' });
  for (const [method, data] of [
    ['produce', { kind: 'audio', rtpParameters: opusRtpParameters() }],
    ['produceData', { sctpStreamParameters: { streamId: 1 } }],
  ] as const) {
    const { errorCode, errorReason } = await bob.ask(method, { ...data, appData });
    assert.equal(errorCode, 429, method);
    assert.match(String(errorReason), /^TOO_MANY_REQUESTS: roomUpdateRate/);
    await bob.request(method, data);
  }
  assert.equal(await limited(metricsPort, 'roomUpdateRate'), 3);
});

test('S67 a slow reader is not disconnected because of application data, and gets the last of each peer', async (t) => {
  const { url, metricsPort } = await testDaemon(t, { ...unlimitedRates, MEDIA_DAEMON_MAX_BUFFERED_BYTES: '262144' });
  const alice = await SignalingClient.join(url, 'room', 'alice');
  const [bob, carol] = [
    await SignalingClient.join(url, 'room', 'bob'),
    await SignalingClient.join(url, 'room', 'carol'),
  ];
  alice.socket.pause();
  // More than a loopback socket takes in while nobody reads.
  const text = 'x'.repeat(15_000);
  for (let turn = 0; turn < 2000; turn++) {
    await bob.request('updateAppData', { appData: { turn, text } });
    await carol.request('updateAppData', { appData: { turn, text } });
  }
  await carol.request('leaveRoom');
  alice.socket.resume();
  await alice.notified('peerUpdated', ({ peerId, appData }) => peerId === 'bob' && appData.turn === 1999);
  await alice.notified('peerLeft');
  await alice.request('ping');
  assert.ok(alice.unread.filter((name) => name === 'peerUpdated').length < 3000, 'older ones are left out');
  assert.equal(await limited(metricsPort, 'bufferedBytes'), 0);
  const left = alice.unread.length;
  await bob.request('updateAppData', { appData: {} });
  await alice.notified('peerUpdated', ({ appData }) => appData.turn === undefined);
  assert.equal(alice.unread.length, left, 'nothing of carol came after she left');
});

test('S38 application data that is too long or too deep is refused', async (t) => {
  const { url } = await testDaemon(t);
  const alice = await SignalingClient.join(url, 'room', 'alice');
  let deep: object = {};
  for (let depth = 0; depth < 40; depth++) deep = { deep };
  for (const appData of [deep, { text: 'x'.repeat(20_000) }, [], 7, null]) {
    assert.equal((await alice.ask('updateAppData', { appData })).errorCode, 400);
  }
  await alice.request('updateAppData', { appData: { name: 'Alice' } });
});
