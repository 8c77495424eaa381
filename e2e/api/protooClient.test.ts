import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { SignalingClient } from '@mediasoup-server/media-daemon/testing/SignalingClient';
import { testDaemon } from '@mediasoup-server/media-daemon/testing/testDaemon';
import { Peer, WebSocketTransport } from 'protoo-client';

const once = (peer: Peer, event: 'open' | 'failed' | 'close'): Promise<void> =>
  new Promise((resolve) => peer.on(event as 'open', () => resolve()));

/** A frontend on protoo-client alone. It retries ten times a second to keep the test short. */
function protooPeer(t: TestContext, url: string, query: string): Peer {
  const retry = { retries: 1000, factor: 1, minTimeout: 100, maxTimeout: 100 };
  const peer = new Peer(new WebSocketTransport(`${url}/?${query}`, { retry }));
  t.after(() => peer.close());
  return peer;
}

test('S5 a protoo-client whose upgrade is refused backs off and joins later', async (t) => {
  const { url } = await testDaemon(t, { MEDIA_DAEMON_MAX_PEERS: '1' });
  const alice = await SignalingClient.join(url, 'room', 'alice');
  const bob = protooPeer(t, url, 'roomId=room&peerId=bob');
  await once(bob, 'failed');
  assert.equal(bob.closed, false);
  alice.close();
  await once(bob, 'open');
  await bob.request('joinRoom', { roomId: 'room', peerId: 'bob' });
});

test('S1 a protoo-client that may never join gets the reason and stops', async (t) => {
  const { url } = await testDaemon(t);
  const peer = protooPeer(t, url, 'roomId=..&peerId=bob');
  let opened = 0;
  peer.on('open', () => opened++);
  const closed = once(peer, 'close');
  const { method, data } = await new Promise<{ method: string; data: { code: number; reason: string } }>((resolve) =>
    peer.on('notification', resolve as never),
  );
  assert.equal(method, 'error');
  assert.equal(data.code, 400);
  assert.match(data.reason, /roomId/);
  await closed;
  assert.equal(peer.closed, true);
  assert.equal(opened, 1);
});

test('S25 a protoo-client that loses its socket reconnects and resumes', async (t) => {
  const { url } = await testDaemon(t);
  const watcher = await SignalingClient.join(url, 'room', 'watcher');
  const peer = protooPeer(t, url, 'roomId=room&peerId=bob');
  await once(peer, 'open');
  const joining = { roomId: 'room', peerId: 'bob' };
  const { sessionId } = (await peer.request('joinRoom', joining)) as { sessionId: string };
  // protoo-client offers no other way to lose its socket.
  const { _ws: socket } = (peer as unknown as { _transport: { _ws: { _connection: { socket: { destroy(): void } } } } })
    ._transport;
  const again = once(peer, 'open');
  socket._connection.socket.destroy();
  await again;
  const { resumed } = (await peer.request('joinRoom', { ...joining, sessionId })) as { resumed: boolean };
  assert.equal(resumed, true);
  await watcher.request('ping');
  assert.ok(!watcher.unread.includes('peerLeft'));
});
