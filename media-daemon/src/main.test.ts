import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Client, credentials } from '@grpc/grpc-js';
import { serviceCalls } from '@mediasoup-server/backend-client/calls';
import { MediaDaemon } from '@mediasoup-server/proto/daemon';
import { SignalingClient } from './testing/SignalingClient.ts';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));

/** What the line says that the daemon is ready. */
type Ready = { url: string; rtcAddress: string; grpcPort: number; metricsPort: number };

/** Runs the daemon as a process of its own, which ends with the test. */
function run(t: TestContext, settings: Record<string, string> = {}) {
  const child = spawn(process.execPath, [MAIN], {
    env: {
      ...process.env,
      MEDIA_DAEMON_LISTEN_PORT: '0',
      MEDIA_DAEMON_GRPC_PORT: '0',
      MEDIA_DAEMON_METRICS_PORT: '0',
      MEDIA_DAEMON_RTC_PORT: '0',
      MEDIA_DAEMON_WORKERS: '1',
      ...settings,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.after(() => child.kill('SIGKILL'));
  let output = '';
  const ready = new Promise<Ready>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        const line = output.split('\n').find((each) => each.includes('"media daemon ready"') && each.endsWith('}'));
        if (line) resolve(JSON.parse(line));
      });
    }
    child.once('close', () => reject(new Error(`the daemon ended: ${output}`)));
  });
  // Whoever expects the end does not wait for this.
  ready.catch(() => {});
  const ended = once(child, 'close').then(([exitCode]) => ({ exitCode: exitCode as number | null, output }));
  return { child, ready, ended };
}

/** Whether a process runs. One that ended and that its new parent has not noticed yet, a zombie, does not. */
function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch (error) {
    // Without a /proc the signal alone tells.
    const { code, syscall } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' && syscall === 'open' && !existsSync('/proc/self/stat');
  }
}

test('wrong settings end the process with 1 and a line for each variable', async (t) => {
  const { exitCode, output } = await run(t, {
    MEDIA_DAEMON_LISTEN_PORT: 'many',
    MEDIA_DAEMON_WORKERS: '0',
    MEDIA_DAEMON_WORKRES: '2',
    MEDIA_DAEMON_LISTEN_IP: '127.0.0.1',
  }).ended;
  assert.equal(exitCode, 1);
  assert.match(output, /^MEDIA_DAEMON_LISTEN_PORT: is not a whole number$/m);
  assert.match(output, /^MEDIA_DAEMON_WORKERS: is less than 1$/m);
  assert.match(output, /^MEDIA_DAEMON_WORKRES is not a setting/m);
  assert.doesNotMatch(output, /\n\s+at /, 'no stack');
});

test('the line that says the daemon is ready names the address that clients send media to', async (t) => {
  assert.equal((await run(t).ready).rtcAddress, '127.0.0.1');
  const announced = { MEDIA_DAEMON_RTC_ANNOUNCED_ADDRESS: 'media.example.org' };
  assert.equal((await run(t, announced).ready).rtcAddress, 'media.example.org');
});

test('listening beyond loopback without saying so ends the process with 1 and names the setting', async (t) => {
  const { exitCode, output } = await run(t, { MEDIA_DAEMON_LISTEN_IP: '0.0.0.0' }).ended;
  assert.equal(exitCode, 1);
  assert.match(output, /MEDIA_DAEMON_LISTEN_IP: .*MEDIA_DAEMON_ALLOW_OPEN_BEYOND_LOOPBACK=true/);
});

test('a missing certificate file ends the process with 1 and names the file', async (t) => {
  const { exitCode, output } = await run(t, {
    MEDIA_DAEMON_TLS_CERT_FILE: '/nonexistent/cert.pem',
    MEDIA_DAEMON_TLS_KEY_FILE: '/nonexistent/key.pem',
  }).ended;
  assert.equal(exitCode, 1);
  assert.match(output, /MEDIA_DAEMON_TLS_CERT_FILE: cannot be read: .*'\/nonexistent\/cert\.pem'/);
});

for (const setting of ['LISTEN_PORT', 'GRPC_PORT', 'METRICS_PORT']) {
  test(`a port in use, given as ${setting}, ends the process with 1 and names the port`, async (t) => {
    const taken = createServer().listen(0, '127.0.0.1');
    t.after(() => taken.close());
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    const { exitCode, output } = await run(t, { [`MEDIA_DAEMON_${setting}`]: String(port) }).ended;
    assert.equal(exitCode, 1);
    const { msg } = JSON.parse(output.split('\n').find((line) => line.includes('"level":60')) ?? '{}');
    assert.match(msg, new RegExp(`\\b127\\.0\\.0\\.1:${port}\\b`));
  });
}

for (const [signal, deadline] of [
  ['SIGINT', '600000'],
  ['SIGTERM', '0'],
] as const) {
  test(`${signal} with ${deadline} ms to drain disconnects the peers, which may reconnect, and ends the process with 0 and its workers`, async (t) => {
    const { child, ready, ended } = run(t, { MEDIA_DAEMON_DRAIN_DEADLINE_MS: deadline });
    const { url, grpcPort } = await ready;
    const client = new Client(`127.0.0.1:${grpcPort}`, credentials.createInsecure());
    t.after(() => client.close());
    const pid = (await serviceCalls(MediaDaemon, client).getInfo({})).workers[0]?.pid;
    assert.ok(pid);
    const alice = await SignalingClient.join(url, 'room', 'alice');
    child.kill(signal);
    assert.equal((await alice.notified('reconnect')).reason, 'drain');
    assert.equal(await alice.closed, 1012);
    assert.equal((await ended).exitCode, 0);
    await t.waitFor(() => assert.ok(!runs(pid)), { interval: 20, timeout: 60_000 });
  });
}

for (const how of ['SIGTERM', 'Drain'] as const)
  test(`S40 ${how} asks the peers to move, accepts no new ones, and ends the process when the last peer has left`, async (t) => {
    const { child, ready, ended } = run(t);
    const { url, grpcPort } = await ready;
    const alice = await SignalingClient.open(url, 'room', 'alice');
    const { sessionId } = await alice.request('joinRoom', { roomId: 'room', peerId: 'alice' });
    if (how === 'SIGTERM') child.kill('SIGTERM');
    else {
      const client = new Client(`127.0.0.1:${grpcPort}`, credentials.createInsecure());
      t.after(() => client.close());
      for (let time = 0; time < 2; time++) {
        const { rooms, peers } = await serviceCalls(MediaDaemon, client).drain({});
        assert.deepEqual({ rooms, peers }, { rooms: 1, peers: 1 });
      }
    }
    const { reason, deadlineMs } = await alice.notified('reconnect');
    assert.equal(reason, 'drain');
    assert.ok(deadlineMs > 0);
    const http = url.replace(/^ws/, 'http');
    assert.equal((await fetch(`${http}/ready`)).status, 503);
    assert.equal((await fetch(`${http}/health`)).status, 200);
    await assert.rejects(SignalingClient.open(url, 'room', 'bob'), /503/);
    await alice.request('ping');
    // Who is here may still lose its socket and come back.
    alice.socket.terminate();
    const again = await SignalingClient.open(url, 'room', 'alice');
    assert.equal((await again.request('joinRoom', { roomId: 'room', peerId: 'alice', sessionId })).resumed, true);
    again.close();
    assert.equal((await ended).exitCode, 0);
  });

test('`Drain` with a deadline disconnects peers that have not moved by then, whatever the setting', async (t) => {
  const { ready, ended } = run(t, { MEDIA_DAEMON_DRAIN_DEADLINE_MS: '3600000' });
  const { url, grpcPort } = await ready;
  const client = new Client(`127.0.0.1:${grpcPort}`, credentials.createInsecure());
  t.after(() => client.close());
  const alice = await SignalingClient.join(url, 'room', 'alice');
  await serviceCalls(MediaDaemon, client).drain({ deadline: { seconds: 0n, nanos: 300_000_000 } });
  const { deadlineMs } = await alice.notified('reconnect');
  assert.ok(deadlineMs <= 300, String(deadlineMs));
  assert.equal(await alice.closed, 1012);
  assert.equal((await ended).exitCode, 0);
});

test('a room without peers does not delay a drain', async (t) => {
  const { child, ready, ended } = run(t);
  const { grpcPort } = await ready;
  const client = new Client(`127.0.0.1:${grpcPort}`, credentials.createInsecure());
  t.after(() => client.close());
  await serviceCalls(MediaDaemon, client).createRoom({ roomId: 'room', epoch: 1n });
  child.kill('SIGTERM');
  assert.equal((await ended).exitCode, 0);
});

test('SIGINT ends a daemon whose log has no reader, whose control plane is silent, whose worker is dead and whose clients are stuck', async (t) => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  t.after(() => silent.close());
  await once(silent, 'listening');
  const { child, ready } = run(t, {
    MEDIA_DAEMON_CONTROL_PLANE_URL: `http://127.0.0.1:${(silent.address() as { port: number }).port}`,
    MEDIA_DAEMON_DAEMON_KEY: 'a key of the tests alone',
  });
  const { url, grpcPort, metricsPort } = await ready;
  for (const port of [Number(new URL(url).port), metricsPort]) {
    const stuck = connect(port, '127.0.0.1').on('error', () => {});
    t.after(() => stuck.destroy());
    stuck.write('GET /health HTTP/1.1\r\nHost: a\r\n');
  }
  const client = new Client(`127.0.0.1:${grpcPort}`, credentials.createInsecure());
  t.after(() => client.close());
  const calls = serviceCalls(MediaDaemon, client);
  process.kill((await calls.getInfo({})).workers[0]?.pid ?? Number.NaN, 'SIGKILL');
  // What is read of the log goes no further, and neither does what is written to it.
  child.stdout.destroy();
  child.stderr.destroy();
  const exited = once(child, 'exit');
  child.kill('SIGINT');
  assert.deepEqual(await exited, [0, null]);
});

test('a second signal ends the process at once', async (t) => {
  const { child, ready, ended } = run(t);
  const { url } = await ready;
  const alice = await SignalingClient.join(url, 'room', 'alice');
  child.kill('SIGTERM');
  await alice.notified('reconnect');
  child.kill('SIGTERM');
  assert.equal((await ended).exitCode, 1);
});
