import assert from 'node:assert/strict';
import { copyFileSync, readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { RoomClient } from '@mediasoup-server/backend-client';
import { run } from '@mediasoup-server/cli/run';
import { SignalingClient } from '@mediasoup-server/media-daemon/testing/SignalingClient';
import { authority } from '../support/authority.ts';
import { accessToken, SECRET } from '../support/fleet.ts';
import { commandsOf, Stack } from '../support/stack.ts';

/** Drains the only daemon as an operator. Returns the exit code and the output. */
async function drain(controlPlane: string, ...options: string[]) {
  let written = '';
  const stream = { write: (text: string) => (written += text) };
  const words = ['daemons', 'drain', 'daemon-a', '--control-plane', controlPlane, ...options];
  return { code: await run(words, { environment: {}, stdout: stream, stderr: stream }), written };
}

const peersOf = async (rooms: RoomClient) => (await rooms.peers('lobby')).map(({ peerId }) => peerId);

/** Waits until a client is refused. On a busy machine its deadline may pass before it has asked. */
const isRefused = (t: TestContext, rooms: RoomClient) =>
  t.waitFor(() => assert.rejects(peersOf(rooms), { code: status.UNAVAILABLE }), { interval: 100, timeout: 120_000 });

test('with client certificates only their holders connect to the gRPC port, and the control plane assigns', async (t) => {
  const ours = authority(t, 'ours');
  const [server, controlPlane, backend] = [ours.sign('daemon'), ours.sign('control-plane'), ours.sign('backend')];
  const stack = await Stack.start(t, {
    CONTROL_PLANE_DAEMON_TLS: 'true',
    CONTROL_PLANE_DAEMON_CA_FILE: ours.ca,
    CONTROL_PLANE_DAEMON_CLIENT_CERT_FILE: controlPlane.cert,
    CONTROL_PLANE_DAEMON_CLIENT_KEY_FILE: controlPlane.key,
  });
  const daemon = await stack.startDaemon('daemon-a', {
    MEDIA_DAEMON_GRPC_TLS_CERT_FILE: server.cert,
    MEDIA_DAEMON_GRPC_TLS_KEY_FILE: server.key,
    MEDIA_DAEMON_GRPC_CLIENT_CA_FILE: ours.ca,
    MEDIA_DAEMON_CERTIFICATE_POLL_MS: '50',
  });
  const { url } = await stack.assign('lobby', 'alice');
  const alice = await SignalingClient.openUrl(url);
  await alice.request('joinRoom', { roomId: 'lobby', peerId: 'alice' });

  const infoWith = (ca: string, shown?: { cert: string; key: string }) => {
    const own = shown && { key: readFileSync(shown.key), cert: readFileSync(shown.cert) };
    return commandsOf(t, daemon, { ca: readFileSync(ca), ...own }).getInfo({}, { deadline: Date.now() + 60_000 });
  };
  assert.equal((await infoWith(ours.ca, backend)).peers, 1);
  const { controlPlaneUrl } = stack;
  const own = { ca: readFileSync(ours.ca), cert: readFileSync(backend.cert), key: readFileSync(backend.key) };
  const rooms = new RoomClient({ controlPlaneUrl, tls: own });
  t.after(() => rooms.close());
  assert.deepEqual(await peersOf(rooms), ['alice']);
  const stranger = new RoomClient({ controlPlaneUrl, tls: { ca: own.ca }, deadlineMs: 2000 });
  t.after(() => stranger.close());
  await isRefused(t, stranger);

  const theirs = authority(t, 'theirs');
  const refused = { code: status.UNAVAILABLE };
  await assert.rejects(infoWith(ours.ca), refused, 'without a certificate');
  await assert.rejects(infoWith(ours.ca, theirs.sign('stranger')), refused, "with another authority's");
  await assert.rejects(commandsOf(t, daemon).getInfo({}, { deadline: Date.now() + 60_000 }), refused, 'in plain text');
  await assert.rejects(infoWith(theirs.ca, backend), refused, 'a client that knows another authority');
  assert.equal((await infoWith(ours.ca, backend)).peers, 1);
  // A replaced certificate is used for new connections.
  const next = theirs.sign('daemon');
  copyFileSync(next.key, server.key);
  copyFileSync(next.cert, server.cert);
  const shown = async () => assert.equal((await infoWith(theirs.ca, backend)).peers, 1);
  await t.waitFor(shown, { interval: 100, timeout: 60_000 });

  const client = ['--cert', backend.cert, '--key', backend.key];
  for (const options of [[], ['--tls'], ['--ca', theirs.ca], ['--ca', ours.ca, ...client]]) {
    const { code, written } = await drain(controlPlaneUrl, ...options);
    assert.equal(code, 3, written);
    assert.match(
      written,
      /^cannot reach daemon-a at 127\.0\.0\.1:\d+: .+ \(if its gRPC server speaks TLS, use --tls, --ca, --cert and --key\)$/ms,
    );
  }
  const draining = drain(controlPlaneUrl, '--ca', theirs.ca, ...client);
  await alice.notified('reconnect');
  alice.close();
  const drained = await draining;
  assert.equal(drained.code, 0, drained.written);
  assert.match(drained.written, /daemon-a has ended; rooms: 0, peers: 0\n$/);
});

test('a backend commands and watches over TLS with tokens, and refuses unknown certificates', async (t) => {
  const ours = authority(t, 'ours');
  const server = ours.sign('daemon');
  const stack = await Stack.start(t, {
    CONTROL_PLANE_MODE: 'jwt',
    CONTROL_PLANE_ACCESS_TOKEN_SECRET: SECRET,
    CONTROL_PLANE_CORS_ORIGINS: 'https://app.example.com',
    CONTROL_PLANE_DAEMON_TLS: 'true',
    CONTROL_PLANE_DAEMON_CA_FILE: ours.ca,
  });
  await stack.startDaemon('daemon-a', {
    MEDIA_DAEMON_MODE: 'jwt',
    MEDIA_DAEMON_GRPC_TLS_CERT_FILE: server.cert,
    MEDIA_DAEMON_GRPC_TLS_KEY_FILE: server.key,
  });
  const { controlPlaneUrl } = stack;
  const admin = await accessToken('backend', '*', { admin: true });
  const { url } = await stack.assign('lobby', 'alice', controlPlaneUrl, await accessToken('alice', 'lobby', {}));
  const alice = await SignalingClient.openUrl(url);
  await alice.request('joinRoom', { roomId: 'lobby', peerId: 'alice' });

  const rooms = new RoomClient({ controlPlaneUrl, accessToken: () => admin, tls: { ca: readFileSync(ours.ca) } });
  t.after(() => rooms.close());
  assert.deepEqual(await peersOf(rooms), ['alice']);
  const stream = rooms.watch('lobby', { cursor: 'of nothing' });
  assert.equal((await stream.next()).value?.is, 'missed');
  await Promise.all(
    [{ ca: readFileSync(authority(t, 'theirs').ca) }, {}, undefined].map((tls) => {
      const wary = new RoomClient({ controlPlaneUrl, accessToken: admin, deadlineMs: 2000, ...(tls && { tls }) });
      t.after(() => wary.close());
      return isRefused(t, wary);
    }),
  );
  await rooms.commands.closeRoom({ roomId: 'lobby' });
  assert.equal(await alice.closed, 4000);
  const told: unknown[] = [];
  for await (const watched of stream) if (watched.is === 'event') told.push(watched.event.kind.case);
  assert.deepEqual(told, ['roomCreated', 'peerJoined', 'peerLeft', 'roomClosed']);
  const { code, written } = await drain(controlPlaneUrl, '--token', admin, '--ca', ours.ca);
  assert.equal(code, 0, written);
});
