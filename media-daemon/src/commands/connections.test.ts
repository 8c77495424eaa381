import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { credentials, Client as GrpcClient } from '@grpc/grpc-js';
import { serviceCalls } from '@mediasoup-server/backend-client/calls';
import { MediaDaemon } from '@mediasoup-server/proto/daemon';
import { testDaemon } from '../testing/testDaemon.ts';

/** A certificate of `daemon`, and its key. */
function certificate(t: TestContext): { cert: string; key: string } {
  const directory = mkdtempSync(join(tmpdir(), 'grpc-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const files = { cert: join(directory, 'server.crt'), key: join(directory, 'server.key') };
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'];
  const name = ['-subj', '/CN=daemon', '-addext', 'subjectAltName=DNS:daemon'];
  execFileSync('openssl', ['req', '-x509', ...curve, ...name, '-keyout', files.key, '-out', files.cert], {
    stdio: 'pipe',
  });
  return files;
}

for (const secure of [false, true]) {
  test(`connections of one address to the gRPC port leave room for other addresses${secure ? ' (TLS)' : ''}`, async (t) => {
    const tls = secure ? certificate(t) : undefined;
    const { grpcPort, metricsPort } = await testDaemon(t, {
      MEDIA_DAEMON_GRPC_MAX_IP_CONNECTIONS: '3',
      MEDIA_DAEMON_TRUSTED_PROXIES: '127.0.0.4',
      ...(tls && { MEDIA_DAEMON_GRPC_TLS_CERT_FILE: tls.cert, MEDIA_DAEMON_GRPC_TLS_KEY_FILE: tls.key }),
    });
    const open = (localAddress: string, count: number) =>
      Array.from({ length: count }, () => {
        const socket = connect({ port: grpcPort, host: '127.0.0.1', localAddress });
        t.after(() => socket.destroy());
        // The beginning of a handshake, or of HTTP/2's greeting.
        socket.on('error', () => {}).write(secure ? Buffer.from([22, 3, 1]) : 'PRI * HT');
        return socket.resume();
      });
    const refused = async () => {
      const signal = AbortSignal.timeout(5_000);
      const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`, { signal })).text();
      return Number(/limited_total\{limit="grpcIpConnections"\} (\d+)/.exec(text)?.[1] ?? 0);
    };
    const waiting = { interval: 20, timeout: 60_000 };

    const others = open('127.0.0.2', 30);
    const left = () => others.filter(({ closed }) => !closed).length;
    await t.waitFor(() => assert.ok(left() <= 3, `${left()} connections are open`), waiting);
    // On a busy machine a connection may fail before the daemon sees it.
    await t.waitFor(async () => assert.ok((await refused()) >= 20, `${await refused()} were refused`), waiting);

    const secrets = tls ? credentials.createSsl(readFileSync(tls.cert)) : credentials.createInsecure();
    const client = new GrpcClient(`127.0.0.1:${grpcPort}`, secrets, { 'grpc.ssl_target_name_override': 'daemon' });
    t.after(() => client.close());
    const { getInfo } = serviceCalls(MediaDaemon, client);
    assert.equal((await getInfo({})).rooms, 0);

    const proxied = open('127.0.0.4', 6);
    await Promise.all(proxied.map((socket) => once(socket, 'connect')));
    for (const socket of others) socket.destroy();
    const answers = async () => {
      const raw = { port: grpcPort, host: '127.0.0.1', localAddress: '127.0.0.2' };
      const options = { ALPNProtocols: ['h2'], rejectUnauthorized: false };
      const socket = secure ? connectTls({ ...raw, ...options }) : connect(raw);
      t.after(() => socket.destroy());
      // HTTP/2's greeting, and settings that set nothing.
      socket.on('error', () => {}).write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u0004\0\0\0\0\0');
      return new Promise((resolve) => {
        socket.once('data', () => resolve(true)).once('close', () => resolve(false));
      });
    };
    const message = 'an address whose connections have closed may open others';
    await t.waitFor(async () => assert.equal(await answers(), true, message), waiting);
    assert.equal(proxied.filter(({ closed }) => closed).length, 0, 'a trusted proxy is not limited');
  });
}

test('an ending daemon closes gRPC connections whose TLS handshake is not finished', async (t) => {
  const { cert, key } = certificate(t);
  const daemon = await testDaemon(t, { MEDIA_DAEMON_GRPC_TLS_CERT_FILE: cert, MEDIA_DAEMON_GRPC_TLS_KEY_FILE: key });
  const socket = connect(daemon.grpcPort, '127.0.0.1');
  t.after(() => socket.destroy());
  socket.on('error', () => {}).resume();
  let closed = false;
  socket.once('close', () => (closed = true));
  await once(socket, 'connect');
  socket.write(Buffer.from([22, 3, 1]));
  await daemon.close();
  await t.waitFor(() => assert.ok(closed), { interval: 20, timeout: 60_000 });
});
