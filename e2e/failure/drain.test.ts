import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { SignalingClient } from '@mediasoup-server/media-daemon/testing/SignalingClient';
import { Stack } from '../support/stack.ts';
import { TcpProxy } from '../support/TcpProxy.ts';

/** A peer on one of two daemons, whose control plane is behind a relay. */
async function callBehindRelay(t: TestContext) {
  const stack = await Stack.start(t);
  const relay = await TcpProxy.start(t, Number(new URL(stack.controlPlaneUrl).port));
  const daemons = await stack.startDaemons(['daemon-a', 'daemon-b'], {
    MEDIA_DAEMON_CONTROL_PLANE_URL: `http://127.0.0.1:${relay.port}`,
  });
  const { url, daemonId } = await stack.assign('lobby', 'alice');
  const client = await SignalingClient.openUrl(url);
  await client.request('joinRoom', { roomId: 'lobby', peerId: 'alice' });
  return { stack, relay, client, daemonId, daemon: daemons.get(daemonId) };
}

test('a draining daemon asks peers to move only after the control plane knows', async (t) => {
  const { stack, relay, client, daemonId, daemon } = await callBehindRelay(t);
  relay.delay(200);
  daemon?.process.kill('SIGTERM');
  await client.notified('reconnect');
  assert.notEqual((await stack.assign('lobby', 'alice')).daemonId, daemonId);
});

test('a daemon drains although it cannot reach the control plane', async (t) => {
  const { relay, client, daemon } = await callBehindRelay(t);
  relay.cut();
  daemon?.process.kill('SIGTERM');
  assert.equal((await client.notified('reconnect')).reason, 'drain');
});
