import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { serviceCalls } from '@mediasoup-server/backend-client/calls';
import { openChannel } from '@mediasoup-server/backend-client/channel';
import { settingsSchema } from '@mediasoup-server/media-daemon/config';
import { SignalingClient } from '@mediasoup-server/media-daemon/testing/SignalingClient';
import { Health, HealthCheckResponse_ServingStatus } from '@mediasoup-server/proto/health';
import { settingTypes } from '@mediasoup-server/server-kit/settings';
import { parse } from 'yaml';
import { SharedStore } from '../support/SharedStore.ts';
import { type Daemon, Stack } from '../support/stack.ts';
import { waitUntil } from '../support/waitUntil.ts';

const deployed = (file: string) => readFileSync(new URL(`../../deploy/${file}`, import.meta.url), 'utf8');
const page = readFileSync(new URL('../../docs/operate/health.md', import.meta.url), 'utf8');
const statusOf = async (url: string, path: string) => (await fetch(url.replace(/^ws/, 'http') + path)).status;

/** The cells of a row in the table of HEALTH.md. */
function rowOf(process: string, state: string): string[] {
  const rows = page.split('\n').map((line) => line.split('|').map((cell) => cell.trim().replaceAll('`', '')));
  const row = rows.find(([, first, second]) => first === process && second === state);
  assert.ok(row, `${process}: ${state}`);
  return row.slice(3, -1);
}

/** What a media daemon answers, in the order of the table. */
async function answersOf(t: TestContext, { url, ready }: Daemon): Promise<string[]> {
  const client = openChannel(`127.0.0.1:${ready.grpcPort}`);
  t.after(() => client.close());
  const { status } = await serviceCalls(Health, client).check({ service: '' });
  const http = [await statusOf(url, '/health'), await statusOf(url, '/ready')];
  const [serving] = Object.entries(HealthCheckResponse_ServingStatus).find(([, value]) => value === status) ?? [];
  return [...http.map(String), String(serving)];
}

/** How joining ends for a new peer. */
async function newPeer(url: string, roomId: string): Promise<string> {
  const client = await SignalingClient.open(url, roomId, 'new').catch(() => undefined);
  if (!client) return 'refused';
  const { ok, errorCode } = await client.ask('joinRoom', { roomId, peerId: 'new' });
  client.close();
  return ok ? 'joins' : String(errorCode);
}

test('a control plane is healthy and ready, and only healthy when its table fails', async (t) => {
  const store = await SharedStore.start(t);
  const stack = await Stack.start(t, store.settings, 'tables');
  await stack.startDaemon('daemon-a');
  const answers = async () => {
    const [health, ready] = [
      await statusOf(stack.controlPlaneUrl, '/health'),
      await statusOf(stack.controlPlaneUrl, '/ready'),
    ];
    const { ok, status } = await stack.askForAssignment('room', 'new');
    return [String(health), String(ready), '', ok ? 'assigned' : String(status), ''];
  };
  assert.deepEqual(await answers(), rowOf('control plane', 'all is well'));
  // Every request is throttled.
  store.throttle = Number.POSITIVE_INFINITY;
  assert.deepEqual(await answers(), rowOf('control plane', 'its table fails'));
});

test('a media daemon is ready without its control plane, and not while it drains', async (t) => {
  const stack = await Stack.start(t);
  const daemon = await stack.startDaemon('daemon-a', { MEDIA_DAEMON_RESUME_GRACE_MS: '60000' });
  const joining = { roomId: 'room', peerId: 'here' };
  const here = await SignalingClient.open(daemon.url, 'room', 'here');
  const { sessionId } = await here.request('joinRoom', joining);
  const row = async (then: string, roomId: string) => {
    const answers = await answersOf(t, daemon);
    const told = await newPeer(daemon.url, roomId);
    await here.request('ping');
    return [...answers, told, then];
  };
  assert.deepEqual(await row('goes on', 'a'), rowOf('media daemon', 'all is well'));
  stack.controlPlane.kill('SIGKILL');
  assert.deepEqual(await row('goes on', 'b'), rowOf('media daemon', 'its control plane is away'));
  daemon.process.kill('SIGTERM');
  await here.notified('reconnect');
  assert.deepEqual(await row('goes on, and resumes', 'c'), rowOf('media daemon', 'it drains'));
  here.socket.terminate();
  await here.closed;
  const again = await SignalingClient.open(daemon.url, 'room', 'here');
  assert.equal((await again.request('joinRoom', { ...joining, sessionId })).resumed, true);
});

test('a media daemon without a media worker is healthy but not ready', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'health-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const workerBin = join(folder, 'worker');
  copyFileSync(String(process.env.MEDIASOUP_WORKER_BIN), workerBin);
  const stack = await Stack.start(t);
  const settings = { MEDIA_DAEMON_WORKER_BIN: workerBin, MEDIA_DAEMON_WORKER_TIMEOUT_MS: '3000' };
  const daemon = await stack.startDaemon('daemon-a', settings);
  // No worker can be started to replace the killed ones.
  rmSync(workerBin);
  await daemon.killWorkers('idle ones');
  await waitUntil('the daemon is not ready', async () => (await statusOf(daemon.url, '/ready')) !== 200);
  const row = [...(await answersOf(t, daemon)), await newPeer(daemon.url, 'room'), ''];
  assert.deepEqual(row, rowOf('media daemon', 'it has no media worker'));
});

test('the probes of Docker and Kubernetes keep a draining daemon, which gets the time to drain', async (t) => {
  const [, podText = ''] = /```yaml\n(.*?)```/s.exec(page) ?? [];
  const { terminationGracePeriodSeconds, containers } = parse(podText);
  const [{ livenessProbe, readinessProbe }] = containers;
  const { stop_grace_period } = parse(deployed('docker/compose.yaml')).services['media-daemon'];
  const drainSeconds = settingTypes(settingsSchema).drainDeadlineMs.parse(undefined) / 1000;
  for (const seconds of [Number.parseInt(stop_grace_period, 10), terminationGracePeriodSeconds])
    assert.ok(seconds > drainSeconds, `${seconds} s`);
  const checks = [...deployed('docker/Dockerfile').matchAll(/^HEALTHCHECK .*CMD (\[.*\])$/gm)];
  assert.deepEqual(
    checks.map(([, command = '']) => JSON.parse(command)),
    [
      ['mediasoup-server', 'health', 'control-plane'],
      ['mediasoup-server', 'health', 'media-daemon'],
    ],
  );
  const daemon = await (await Stack.start(t)).startDaemon('daemon-a');
  for (const { httpGet } of [livenessProbe, readinessProbe]) {
    assert.equal(httpGet.port, settingTypes(settingsSchema).listenPort.parse(undefined));
    assert.equal(await statusOf(daemon.url, httpGet.path), 200);
  }
  assert.equal(livenessProbe.httpGet.path, '/health');
});
