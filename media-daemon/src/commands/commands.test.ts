import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { status } from '@grpc/grpc-js';
import { MediaDaemon } from '@mediasoup-server/proto/daemon';
import { callInRoom, commanded } from '../testing/commanded.ts';
import { opusRtpParameters } from '../testing/opus.ts';
import { SignalingClient } from '../testing/SignalingClient.ts';

test('`GetInfo` returns the daemon’s identity and load', async (t) => {
  const { commands, url } = await commanded(t, { MEDIA_DAEMON_DAEMON_ID: 'daemon-1' });
  await SignalingClient.join(url, 'room', 'alice');
  await SignalingClient.join(url, 'room', 'bob');
  const info = await commands.getInfo({});
  assert.equal(info.daemonId, 'daemon-1');
  assert.match(info.incarnation, /^[0-9a-f-]{36}$/);
  assert.match(info.mediasoupVersion, /^3\./);
  assert.equal(info.rooms, 1);
  assert.equal(info.peers, 2);
  assert.equal(info.workers.length, 1);
  assert.ok(info.workers[0]?.rtcPort);
  assert.equal((await commands.getInfo({})).incarnation, info.incarnation);
});

test('`CloseRoom` of a room that has moved asks its peers to follow, unless the room here is as new', async (t) => {
  const { commands, url } = await commanded(t);
  await commands.createRoom({ roomId: 'room', epoch: 3n });
  const alice = await SignalingClient.join(url, 'room', 'alice');
  await commands.closeRoom({ roomId: 'room', movedEpoch: 3n });
  await alice.request('ping');
  assert.deepEqual(alice.unread, []);
  for (let time = 0; time < 2; time++) await commands.closeRoom({ roomId: 'room', movedEpoch: 4n });
  assert.equal((await alice.notified('reconnect')).reason, 'drain');
  await alice.request('ping');
  assert.deepEqual(alice.unread, [], 'asked once');
});

test('buf curl finds and calls every method by reflection, and reads the health', async (t) => {
  const { grpcPort, url, drain } = await commanded(t);
  const buf = fileURLToPath(new URL('../../../node_modules/.bin/buf', import.meta.url));
  const curl = async (...args: string[]) => (await promisify(execFile)(buf, [...options, ...args])).stdout;
  const options = ['curl', '--protocol', 'grpc', '--http2-prior-knowledge'];
  const server = `http://127.0.0.1:${grpcPort}`;
  const methods = (await curl('--list-methods', server)).trim().split('\n');
  for (const { name } of MediaDaemon.methods) assert.ok(methods.includes(`media.v1.MediaDaemon/${name}`), name);
  const alice = await SignalingClient.join(url, 'room', 'alice');
  await alice.request('createWebRtcTransport', { direction: 'send' });
  const produced = { kind: 'audio', rtpParameters: opusRtpParameters() };
  const { producerId } = await alice.request('produce', produced);
  const requests: Record<string, object> = {
    PauseProducer: { producerId },
    ResumeProducer: { producerId },
    CloseProducer: { producerId },
    SendNotification: { dataJson: '1' },
    GetStats: { peerId: 'alice' },
    ClosePeer: { peerId: 'alice', refuseFor: '1s' },
    CloseRoom: { roomId: 'another' },
  };
  await SignalingClient.join(url, 'another', 'bob');
  const call = (name: string) => {
    const withRoom = MediaDaemon.methods.find((method) => method.name === name)?.input.field.roomId;
    const request = { ...(withRoom && { roomId: 'room' }), ...requests[name] };
    return curl('--data', JSON.stringify(request), `${server}/media.v1.MediaDaemon/${name}`);
  };
  const last = ['ClosePeer', 'CloseRoom', 'Drain', 'WatchEvents'];
  for (const { name } of MediaDaemon.methods) if (!last.includes(name)) await call(name);
  const info = JSON.parse(await call('GetInfo'));
  assert.equal(info.workers.length, 1);
  // A stream goes on until its caller goes.
  const watching = spawn(buf, [...options, `${server}/media.v1.MediaDaemon/WatchEvents`]);
  const [first] = await once(watching.stdout, 'data');
  assert.match(String(first), /cursor/);
  watching.kill();
  await call('ClosePeer');
  assert.equal(await alice.closed, 4000);
  await call('CloseRoom');
  const health = async (service: string) =>
    JSON.parse(await curl('--data', JSON.stringify({ service }), `${server}/grpc.health.v1.Health/Check`)).status;
  for (const service of ['', 'media.v1.MediaDaemon']) assert.equal(await health(service), 'SERVING');
  await call('Drain');
  await drain();
  for (const service of ['', 'media.v1.MediaDaemon']) assert.equal(await health(service), 'NOT_SERVING');
});

test('`CreateRoom`, called twice or at once, makes one room and keeps the greatest epoch', async (t) => {
  const { commands } = await commanded(t);
  const [first, second] = await Promise.all([
    commands.createRoom({ roomId: 'room', epoch: 3n }),
    commands.createRoom({ roomId: 'room', epoch: 3n }),
  ]);
  const third = await commands.createRoom({ roomId: 'room', epoch: 2n });
  assert.ok(first.room?.createdAt);
  assert.deepEqual(second.room?.createdAt, first.room.createdAt);
  assert.deepEqual(third.room?.createdAt, first.room.createdAt);
  assert.equal(third.room?.epoch, 3n);
  assert.equal((await commands.getInfo({})).rooms, 1);
  const { codecs } = JSON.parse(first.room.rtpCapabilitiesJson);
  assert.ok(codecs.some(({ mimeType }: { mimeType: string }) => mimeType === 'audio/opus'));
});

test('`GetRoom` describes the peers of a room and their producers', async (t) => {
  const { commands, url } = await commanded(t);
  const alice = await SignalingClient.join(url, 'room', 'alice');
  await alice.request('createWebRtcTransport', { direction: 'send' });
  await alice.request('produce', { kind: 'audio', rtpParameters: opusRtpParameters() });
  await SignalingClient.join(url, 'room', 'bob');
  const { room } = await commands.getRoom({ roomId: 'room' });
  assert.equal(room?.roomId, 'room');
  assert.deepEqual(
    room.peers.map(({ peerId, producers, consumers }) => ({ peerId, producers, consumers })),
    [
      { peerId: 'alice', producers: 1, consumers: 0 },
      { peerId: 'bob', producers: 0, consumers: 0 },
    ],
  );
});

test('S44 `CloseRoom` sends the peers the reason and disconnects them for good', async (t) => {
  const { commands, url } = await commanded(t);
  const alice = await SignalingClient.join(url, 'room', 'alice');
  const bob = await SignalingClient.join(url, 'room', 'bob');
  await commands.closeRoom({ roomId: 'room', reason: 'the lesson is over' });
  for (const peer of [alice, bob]) {
    assert.deepEqual(await peer.notified('roomClosed'), { reason: 'the lesson is over' });
    assert.equal(await peer.closed, 4000);
  }
  await assert.rejects(commands.getRoom({ roomId: 'room' }), { code: status.NOT_FOUND });
});

test('`ListPeers` lists the peers of a room and their producers, in pages', async (t) => {
  const { commands, alice, bob, producerId } = await callInRoom(t);
  await alice.request('updateAppData', { appData: { name: 'Alice' } });
  const first = await commands.listPeers({ roomId: 'room', pageSize: 1 });
  assert.equal(first.nextPageToken, 'alice');
  const [described] = first.peers;
  assert.equal(described?.peerId, 'alice');
  assert.deepEqual(JSON.parse(described?.appDataJson ?? ''), { name: 'Alice' });
  const [producer] = described?.producers ?? [];
  assert.deepEqual([producer?.producerId, producer?.kind, producer?.paused], [producerId, 'audio', false]);
  const second = await commands.listPeers({ roomId: 'room', pageToken: first.nextPageToken });
  assert.deepEqual([second.peers.map(({ peerId }) => peerId), second.nextPageToken], [['bob'], '']);
  assert.equal(second.peers[0]?.consumers, 1);
  assert.equal(second.peers[0].disconnected, false);
  bob.socket.terminate();
  const isLost = async () => (await commands.listPeers({ roomId: 'room' })).peers[1]?.disconnected;
  await t.waitFor(async () => assert.equal(await isLost(), true), { interval: 20, timeout: 60_000 });
});

test('S55 `ClosePeer` puts a peer out with the reason, for a time', async (t) => {
  const { commands, url, alice, bob, producerId } = await callInRoom(t);
  const refuseFor = { seconds: 3600n, nanos: 0 };
  await commands.closePeer({ roomId: 'room', peerId: 'alice', reason: 'too loud', refuseFor });
  assert.deepEqual(await alice.notified('error'), {
    code: 403,
    reason: 'too loud',
    reasonCode: 'PEER_REMOVED',
  });
  assert.equal(await alice.closed, 4000);
  assert.deepEqual(await bob.notified('producerClosed'), { producerId, peerId: 'alice' });
  assert.deepEqual(await bob.notified('peerLeft'), { peerId: 'alice' });
  const again = await SignalingClient.open(url, 'room', 'alice');
  assert.equal((await again.notified('error')).code, 403);
  assert.equal(await again.closed, 4000);
  await SignalingClient.join(url, 'another room', 'alice');
  await commands.closePeer({ roomId: 'room', peerId: 'bob' });
  assert.equal(await bob.closed, 4000);
  await assert.rejects(commands.getRoom({ roomId: 'room' }), { code: status.NOT_FOUND });
  await SignalingClient.join(url, 'room', 'bob');
});

test('S56 `SendNotification` reaches the named peers, or all', async (t) => {
  const { commands, alice, bob } = await callInRoom(t);
  const sending = { roomId: 'room', from: 'service', dataJson: '{"text":"hello"}' };
  const message = { from: 'service', data: { text: 'hello' } };
  const toBob = await commands.sendNotification({ ...sending, peerIds: ['bob', 'nobody'] });
  assert.deepEqual(toBob.unknownPeerIds, ['nobody']);
  assert.deepEqual(await bob.notified('message'), message);
  assert.deepEqual((await commands.sendNotification(sending)).unknownPeerIds, []);
  for (const peer of [alice, bob]) assert.deepEqual(await peer.notified('message'), message);
  assert.ok(![...alice.unread, ...bob.unread].includes('message'));
});

test('`GetStats` measures everything of a peer, in pages', async (t) => {
  const { commands, alice, bob, producerId, consumerId } = await callInRoom(t);
  const { dataProducerId } = await alice.request('produceData', { sctpStreamParameters: { streamId: 1 } });
  await bob.request('consumeData', { dataProducerId });
  const of = async (peerId: string) => (await commands.getStats({ roomId: 'room', peerId })).stats;
  const alices = await of('alice');
  assert.deepEqual(alices.map((stats) => stats.of).sort(), ['data producer', 'producer', 'transport', 'transport']);
  assert.deepEqual((await of('bob')).map((stats) => stats.of).sort(), [
    'consumer',
    'data consumer',
    'transport',
    'transport',
  ]);
  const paged: string[] = [];
  let pageToken = '';
  do {
    const page = await commands.getStats({ roomId: 'room', peerId: 'alice', pageSize: 3, pageToken });
    paged.push(...page.stats.map(({ id }) => id));
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  assert.deepEqual(
    paged,
    alices.map(({ id }) => id),
  );
  assert.equal(alices.find((stats) => stats.of === 'producer')?.id, producerId);
  const bobs = (await of('bob')).find(({ id }) => id === consumerId);
  assert.equal(JSON.parse(bobs?.statsJson ?? '')[0].kind, 'audio');
});

test('a created room that nobody joins closes by itself, and a joined one stays', async (t) => {
  const { commands, url } = await commanded(t, { MEDIA_DAEMON_UNJOINED_ROOM_MS: '500' });
  const alice = await SignalingClient.join(url, 'joined', 'alice');
  await commands.createRoom({ roomId: 'lonely' });
  await t.waitFor(() => assert.rejects(commands.getRoom({ roomId: 'lonely' }), { code: status.NOT_FOUND }), {
    interval: 20,
    timeout: 60_000,
  });
  // `joined` is the older of the two, so its time, if it still ran, would be over as well.
  await alice.request('ping');
  assert.ok((await commands.getRoom({ roomId: 'joined' })).room);
});
