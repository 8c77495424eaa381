import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Client, credentials, status } from '@grpc/grpc-js';
import { MediaDaemon } from '@mediasoup-server/proto/daemon';
import { unaryCalls } from '@mediasoup-server/proto/grpc';
import { opusRtpParameters } from '../testing/opus.ts';
import { SignalingClient } from '../testing/SignalingClient.ts';
import { testDaemon } from '../testing/testDaemon.ts';

async function commanded(t: TestContext, environment: Record<string, string> = {}) {
  const daemon = await testDaemon(t, environment);
  const client = new Client(`127.0.0.1:${daemon.grpcPort}`, credentials.createInsecure());
  t.after(() => client.close());
  return { ...daemon, commands: unaryCalls(MediaDaemon, client) };
}

test('`GetInfo` tells who the daemon is and what it carries', async (t) => {
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

test('`GetRoom` describes the peers of a room and what they send', async (t) => {
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

test('`ListRooms` with a page size hands out every room once, in the order of the ids', async (t) => {
  const { commands } = await commanded(t);
  for (const roomId of ['d', 'b', 'e', 'a', 'c']) await commands.createRoom({ roomId });
  const pages: string[][] = [];
  let pageToken = '';
  do {
    const page = await commands.listRooms({ pageSize: 2, pageToken });
    pages.push(page.rooms.map(({ roomId }) => roomId));
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  assert.deepEqual(pages, [['a', 'b'], ['c', 'd'], ['e']]);
  const whole = await commands.listRooms({});
  assert.equal(whole.rooms.length, 5);
  assert.equal(whole.nextPageToken, '');
  assert.equal((await commands.listRooms({ pageSize: 5 })).nextPageToken, '', 'a full last page is the last');
});

test('S44 `CloseRoom` tells the peers why and puts them out for good', async (t) => {
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

test('`GetRoom` and `CloseRoom` of an unknown room fail with NOT_FOUND', async (t) => {
  const { commands } = await commanded(t);
  const notFound = { code: status.NOT_FOUND, details: 'there is no such room on this daemon' };
  await assert.rejects(commands.getRoom({ roomId: 'nope' }), notFound);
  await assert.rejects(commands.closeRoom({ roomId: 'nope' }), notFound);
});

test('an id that is not valid fails with INVALID_ARGUMENT, whichever the method', async (t) => {
  const { commands } = await commanded(t);
  for (const roomId of ['', '..', 'a\nb', 'x'.repeat(129)]) {
    for (const method of ['createRoom', 'getRoom', 'closeRoom'] as const) {
      await assert.rejects(
        commands[method]({ roomId }),
        { code: status.INVALID_ARGUMENT },
        `${method} ${JSON.stringify(roomId)}`,
      );
    }
  }
  assert.equal((await commands.getInfo({})).rooms, 0);
});

test('a created room that nobody joins closes by itself; one that is joined stays', async (t) => {
  const { commands, url } = await commanded(t, { MEDIA_DAEMON_UNJOINED_ROOM_MS: '500' });
  const alice = await SignalingClient.join(url, 'joined', 'alice');
  await commands.createRoom({ roomId: 'lonely' });
  await t.waitFor(() => assert.rejects(commands.getRoom({ roomId: 'lonely' }), { code: status.NOT_FOUND }), {
    interval: 20,
    timeout: 30_000,
  });
  // `joined` is the older of the two, so its time, if it still ran, would be over as well.
  await alice.request('ping');
  assert.ok((await commands.getRoom({ roomId: 'joined' })).room);
});
