import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Message } from '../rooms/MessageLog.ts';
import { SignalingClient } from '../testing/SignalingClient.ts';
import { testDaemon } from '../testing/testDaemon.ts';
import { testRooms } from '../testing/testRooms.ts';
import { unlimitedRates } from '../testing/unlimitedRates.ts';

const numbered = (number: number, data = `${number}`) => ({ senderId: 's', number, data });
/** The numbers of the next messages that a client gets. */
const numbers = async (client: SignalingClient, count: number): Promise<number[]> => {
  const received: number[] = [];
  for (let index = 0; index < count; index++) received.push((await client.notified('peerMessage')).number);
  return received;
};
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);

test('S68 a message goes to the others in the order of sending, or to those that it names', async (t) => {
  const { url } = await testDaemon(t);
  const [alice, bob, carol] = await Promise.all(
    ['alice', 'bob', 'carol'].map((peerId) => SignalingClient.join(url, 'room', peerId)),
  );
  assert.ok(alice && bob && carol);
  await alice.request('sendMessage', { ...numbered(0), topic: 'chat' });
  const message = { peerId: 'alice', ...numbered(0), topic: 'chat', sequence: 0 };
  for (const other of [bob, carol]) assert.deepEqual(await other.notified('peerMessage'), message);
  await alice.request('sendMessage', { ...numbered(1, 'AP8H'), encoding: 'base64', to: ['carol', 'nobody'] });
  await alice.request('sendMessage', numbered(2));
  assert.deepEqual(await numbers(carol, 2), [1, 2]);
  assert.deepEqual(await numbers(bob, 1), [2]);
  for (const client of [alice, bob, carol]) {
    await client.request('ping');
    assert.ok(!client.unread.includes('peerMessage'));
  }
});

test('S68 a peer gets the messages sent after it joined, and earlier ones that it asks for', async (t) => {
  const { url } = await testDaemon(t);
  const alice = await SignalingClient.join(url, 'room', 'alice');
  await alice.request('sendMessage', numbered(0));
  const bob = await SignalingClient.join(url, 'room', 'bob');
  const carol = await SignalingClient.open(url, 'room', 'carol');
  await carol.request('joinRoom', { roomId: 'room', peerId: 'carol', messagesOfMs: 60_000 });
  await alice.request('sendMessage', numbered(1));
  assert.deepEqual(await numbers(bob, 1), [1]);
  assert.deepEqual(await numbers(carol, 2), [0, 1]);
});

test('S69 a message that is asked again is sent once, and one whose predecessor is missing is refused with 409', async (t) => {
  const { url } = await testDaemon(t);
  const alice = await SignalingClient.join(url, 'room', 'alice');
  const bob = await SignalingClient.join(url, 'room', 'bob');
  for (const number of [3, 3, 4, 3, 4]) await alice.request('sendMessage', numbered(number));
  assert.equal((await alice.ask('sendMessage', { ...numbered(6), after: 5 })).errorCode, 409);
  await alice.request('sendMessage', { ...numbered(5), after: 4 });
  await alice.request('sendMessage', { ...numbered(6), after: 5 });
  await alice.request('sendMessage', { ...numbered(0), senderId: 'another' });
  assert.deepEqual(await numbers(bob, 5), [3, 4, 5, 6, 0]);
  // Names that look alike when written in a row are not one sender.
  const carols = [await SignalingClient.join(url, 'room', 'carol'), await SignalingClient.join(url, 'room', 'x carol')];
  for (const [index, senderId] of ['s x', 's'].entries())
    await carols[index]?.request('sendMessage', { ...numbered(9), senderId });
  assert.deepEqual(await numbers(bob, 2), [9, 9]);
  // Joining again the peer goes on numbering.
  const again = await SignalingClient.join(url, 'room', 'alice');
  for (const number of [6, 7]) await again.request('sendMessage', numbered(number));
  assert.deepEqual(await numbers(bob, 1), [7]);
});

test('S70 a resumed session gets the messages that the lost socket did not deliver', async (t) => {
  const { url } = await testDaemon(t);
  const alice = await SignalingClient.join(url, 'room', 'alice');
  const bob = await SignalingClient.open(url, 'room', 'bob');
  const joining = { roomId: 'room', peerId: 'bob' };
  const { sessionId } = await bob.request('joinRoom', joining);
  for (const number of range(0, 4)) await alice.request('sendMessage', numbered(number));
  assert.deepEqual(await numbers(bob, 4), [0, 1, 2, 3]);
  bob.socket.terminate();
  for (const number of range(4, 6)) await alice.request('sendMessage', numbered(number));
  const again = await SignalingClient.open(url, 'room', 'bob');
  // Two came over the former socket as far as the client knows.
  const { resumed } = await again.request('joinRoom', { ...joining, sessionId, lastMessage: 1 });
  assert.equal(resumed, true);
  assert.deepEqual(await numbers(again, 4), [2, 3, 4, 5]);
});

test('S71 a slow reader gets each kept message without being disconnected, and the number of those it missed', async (t) => {
  const { url, metricsPort } = await testDaemon(t, { ...unlimitedRates, MEDIA_DAEMON_MAX_BUFFERED_BYTES: '131072' });
  const alice = await SignalingClient.join(url, 'room', 'alice');
  const bob = await SignalingClient.join(url, 'room', 'bob');
  const text = 'x'.repeat(16_000);
  bob.socket.pause();
  // As much as is kept, and more than the bound of what waits for a socket.
  for (const number of range(0, 60)) await alice.request('sendMessage', numbered(number, text));
  bob.socket.resume();
  assert.deepEqual(await numbers(bob, 60), range(0, 60));

  bob.socket.pause();
  for (const number of range(60, 1000)) await alice.request('sendMessage', numbered(number, text));
  bob.socket.resume();
  let [missed, last] = [(await bob.notified('messagesMissed')).count, 59];
  let received = 0;
  while (last < 999) {
    const [number = 0] = await numbers(bob, 1);
    assert.ok(number > last, 'in order');
    last = number;
    received++;
  }
  while (bob.unread.includes('messagesMissed')) missed += (await bob.notified('messagesMissed')).count;
  assert.equal(missed + received, 940);
  const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  assert.doesNotMatch(metrics, /limited_total\{limit="bufferedBytes"\}/);
});

test('S72 a message that is too long is refused with 400, and too many bytes of messages with 429', async (t) => {
  const { url, metricsPort } = await testDaemon(t, {
    MEDIA_DAEMON_MESSAGE_BYTES_PER_SECOND: '1024',
    MEDIA_DAEMON_MESSAGE_BYTES_BURST: '20000',
  });
  const alice = await SignalingClient.join(url, 'room', 'alice');
  const bob = await SignalingClient.join(url, 'room', 'bob');
  for (const data of ['x'.repeat(65_535), 'ä'.repeat(40_000), '\u0000'.repeat(12_000), 7, null, { text: '' }])
    assert.equal((await alice.ask('sendMessage', { ...numbered(0), data })).errorCode, 400);
  await alice.request('sendMessage', numbered(0, 'x'.repeat(30_000)));
  const { errorCode, errorReason } = await alice.ask('sendMessage', numbered(1));
  assert.equal(errorCode, 429);
  assert.match(String(errorReason), /^TOO_MANY_REQUESTS: messageBytes/);
  const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  assert.match(metrics, /limited_total\{limit="messageBytes"\} 1/);
  // Whom it is for counts as well: the room keeps it with the message.
  await bob.request('sendMessage', { ...numbered(0), to: Array.from({ length: 256 }, () => 'x'.repeat(128)) });
  assert.equal((await bob.ask('sendMessage', numbered(1))).errorCode, 429);
  assert.deepEqual(await numbers(bob, 1), [0]);
});

test('S72 a peer that joins again may send no more bytes of messages than before', async (t) => {
  const { url } = await testDaemon(t, {
    MEDIA_DAEMON_MESSAGE_BYTES_PER_SECOND: '1024',
    MEDIA_DAEMON_MESSAGE_BYTES_BURST: '20000',
  });
  const alice = await SignalingClient.join(url, 'room', 'alice');
  const bob = await SignalingClient.join(url, 'room', 'bob');
  await alice.request('sendMessage', numbered(0, 'x'.repeat(60_000)));
  await alice.request('leaveRoom');
  await bob.notified('peerLeft');
  const again = await SignalingClient.join(url, 'room', 'alice');
  const { errorCode, errorReason } = await again.ask('sendMessage', numbered(1));
  assert.equal(errorCode, 429);
  assert.match(String(errorReason), /^TOO_MANY_REQUESTS: messageBytes/);
  await bob.request('sendMessage', numbered(0));
});

test('a peer without the grant `data` neither sends nor receives messages', async (t) => {
  const { rooms } = await testRooms(t);
  const room = await rooms.getOrCreate('room');
  const heard: [string, number][] = [];
  const [alice, bob] = (['alice', 'bob', 'carol'] as const).map((peerId) => {
    const grants = { publish: true, subscribe: true, data: peerId !== 'bob' };
    const deliver = ({ number }: Message) => heard.push([peerId, number]);
    const inbox = { isReady: () => true, deliver, missed: () => {} };
    const peer = room.join({ peerId, appData: {}, grants, inbox });
    room.announceTo(peer);
    return peer;
  });
  assert.throws(() => bob?.messages.send(numbered(0)), { code: 'FORBIDDEN' });
  alice?.messages.send(numbered(0));
  assert.deepEqual(heard, [['carol', 0]]);
});
