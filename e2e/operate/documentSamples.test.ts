import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { SignalingClient } from '@mediasoup-server/media-daemon/testing/SignalingClient';
import { codeIn } from '../support/codeIn.ts';
import { Stack } from '../support/stack.ts';
import { waitUntil } from '../support/waitUntil.ts';

const cwd = fileURLToPath(new URL('../..', import.meta.url));
const SECRET = 'a secret of the tests that is long enough';
const run = promisify(execFile);

/** Runs a sample in a process of its own, as a reader does. @returns what it prints */
async function runSample(code: string, environment: Record<string, string> = {}): Promise<string> {
  const options = { cwd, env: { ...process.env, ...environment } };
  return (await run(process.execPath, ['--input-type=module-typescript', '--eval', code], options)).stdout;
}

test('each command of the tour in the README answers what its comment says', async (t) => {
  const stack = await Stack.start(t);
  const { ready } = await stack.startDaemon('daemon-a');
  const ports = { 3000: new URL(stack.controlPlaneUrl).port, 50051: ready.grpcPort, 9091: ready.metricsPort };
  const tour = (await codeIn('README.md', 'sh')).replaceAll('\\\n', '');
  // The WebSocket's client comes from the network.
  const commands = tour.split('\n').filter((line) => /^(curl|npx buf) /.test(line));
  assert.ok(commands.length >= 8, `${commands.length} commands`);
  for (const line of commands) {
    const [written = '', comment = ''] = line.split(/\s+# /);
    const command = written.replace(/(?<=127\.0\.0\.1:)\d+/, (port) => String(ports[port as never]));
    const { stdout } = await run('bash', ['-c', command], { cwd });
    if (comment.startsWith('{')) assert.equal(stdout, comment);
    const { code } = stdout.startsWith('{') ? JSON.parse(stdout) : {};
    assert.equal(code, /code (\w+)/.exec(comment)?.[1], line);
    assert.ok(stdout.length > 0, line);
  }
});

test('the sample that signs an access token lets its peer in', async (t) => {
  const settings = { CONTROL_PLANE_MODE: 'jwt', CONTROL_PLANE_ACCESS_TOKEN_SECRET: SECRET };
  const stack = await Stack.start(t, { ...settings, CONTROL_PLANE_CORS_ORIGINS: 'https://app.example.com' });
  await stack.startDaemon('daemon-a', { MEDIA_DAEMON_MODE: 'jwt' });
  const code = `${await codeIn('docs/guide/access-tokens.md', 'ts')}\nconsole.log(accessToken);`;
  const accessToken = (await runSample(code, { ACCESS_TOKEN_SECRET: SECRET })).trim();
  assert.equal((await stack.assign('lobby', 'alice', stack.controlPlaneUrl, accessToken)).peerId, 'alice');
  await assert.rejects(stack.assign('lobby', 'bob', stack.controlPlaneUrl, accessToken), /assignment: 403/);
});

test('the sample for backends lists the peers of a room, removes one and hears of it until the room closes', async (t) => {
  const stack = await Stack.start(t);
  await stack.startDaemon('daemon-a');
  const join = async (peerId: string) => {
    const client = await SignalingClient.openUrl((await stack.assign('lobby', peerId)).url);
    await client.request('joinRoom', { roomId: 'lobby', peerId });
    return client;
  };
  const alice = await join('alice');
  const mallory = await join('mallory');
  const code = await codeIn('docs/guide/backends.md', 'ts');
  const printed = runSample(code.replace('https://control.example.com', stack.controlPlaneUrl));
  assert.match(String((await mallory.notified('error')).reason), /not welcome/);
  let isOver = false;
  void printed.finally(() => {
    isOver = true;
  });
  alice.close();
  // The sample may begin to watch late: the room opens and closes until it has seen that.
  await waitUntil('the sample sees that the room closes', async () => {
    await (await join('visitor')).request('leaveRoom');
    return isOver;
  });
  const lines = (await printed).trim().split('\n');
  assert.deepEqual(lines.slice(0, 2), ['alice 0', 'mallory 0']);
  assert.equal(lines.at(-1), 'roomClosed');
});
