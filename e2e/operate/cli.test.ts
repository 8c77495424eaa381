import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { run } from '@mediasoup-server/cli/run';
import { SignalingClient } from '@mediasoup-server/media-daemon/testing/SignalingClient';
import { SharedStore } from '../support/SharedStore.ts';
import { Stack } from '../support/stack.ts';

const program = fileURLToPath(new URL('../../node_modules/.bin/mediasoup-server', import.meta.url));
const secret = 'a secret of the tests that is long enough';

/** Runs a command line in this process, which is faster than a new one. */
async function cli(words: readonly string[], environment: Record<string, string> = {}) {
  const written = { stdout: '', stderr: '' };
  const stream = (name: keyof typeof written) => ({ write: (text: string) => (written[name] += text) });
  const code = await run(words, { environment, stdout: stream('stdout'), stderr: stream('stderr') });
  const lines = () =>
    written.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  return { code, ...written, lines };
}

test('an operator creates the tables, lists rooms and daemons, and drains a daemon', async (t) => {
  const store = await SharedStore.start(t);
  const strict = {
    ...store.settings,
    CONTROL_PLANE_MODE: 'jwt',
    CONTROL_PLANE_ACCESS_TOKEN_SECRET: secret,
    CONTROL_PLANE_CORS_ORIGINS: 'https://app.example.com',
  };
  const creating = spawn(program, ['tables', 'create'], {
    env: { ...process.env, ...strict, CONTROL_PLANE_DAEMON_KEY: 'a key of the tests alone' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  assert.match(await text(creating.stdout), /^the tables mediasoup-server-\* exist\n$/);
  const stack = await Stack.start(t, strict);
  const daemons = await Promise.all(
    // Each has its own region: within a region the load would decide.
    ['daemon-a', 'daemon-b'].map((id) => stack.startDaemon(id, { MEDIA_DAEMON_MODE: 'jwt', MEDIA_DAEMON_REGION: id })),
  );
  const operator = await cli(['token', '--room', '*', '--peer', 'operator', '--grant', 'admin'], strict);
  const as = (token: string) => ['--control-plane', stack.controlPlaneUrl, '--token', token];
  const operates = as(operator.stdout.trim());

  const [before] = (await cli(['rooms', 'explain', 'lobby', '--json', ...operates])).lines();
  const chosen = before.candidates[0].daemonId;
  const alice = (await cli(['token', '--room', 'lobby', '--peer', 'alice'], strict)).stdout.trim();
  const assignment = await stack.assign('lobby', 'alice', stack.controlPlaneUrl, alice);
  assert.equal(assignment.daemonId, chosen, 'the room went where the explanation said');
  const client = await SignalingClient.openUrl(assignment.url);
  await client.request('joinRoom', { roomId: 'lobby', peerId: 'alice' });
  const explained = await cli(['rooms', 'explain', 'lobby', ...operates]);
  assert.match(explained.stdout, new RegExp(`^"lobby", epoch 1: ${chosen} has it and is well`));

  const listed = await cli(['daemons', 'list', '--json', '--limit', '1', ...operates]);
  const [one, more] = listed.lines();
  const rest = await cli(['daemons', 'list', '--json', '--cursor', more.cursor, ...operates]);
  assert.deepEqual([one, ...rest.lines()].map(({ daemonId }) => daemonId).sort(), ['daemon-a', 'daemon-b']);
  assert.ok(one.load.batching.workers > 0);
  const table = (await cli(['daemons', 'list', ...operates])).stdout;
  assert.match(table, / batching .*\n.* \d+\/\d+ workers, \d+\.\d packets a message, 0 refused /);
  assert.match((await cli(['rooms', 'list', ...operates])).stdout, new RegExp(`\n"lobby" +1 +${chosen} `));

  const draining = cli(['daemons', 'drain', chosen, '--json', ...operates]);
  await client.notified('reconnect');
  const health = ['health', 'media-daemon'];
  const settings = { MEDIA_DAEMON_LISTEN_PORT: new URL(assignment.url).port };
  assert.equal((await cli(health, settings)).stdout, 'the media-daemon is alive\n');
  const ready = await cli([...health, '--ready'], settings);
  assert.equal(ready.code, 1);
  assert.match(ready.stderr, /answered \/ready with 503: .*draining/);
  client.close();
  const drained = await draining;
  assert.deepEqual([drained.code, drained.stderr], [0, '']);
  const steps = drained.lines();
  assert.deepEqual(steps[0], { daemonId: chosen, event: 'drains', rooms: 1, peers: 1 });
  assert.deepEqual(steps.at(-1), { daemonId: chosen, event: 'has ended', rooms: 0, peers: 0 });
  const { process: ended } = daemons[chosen === 'daemon-a' ? 0 : 1] ?? assert.fail();
  if (ended.exitCode === null) await once(ended, 'exit');
  assert.equal(ended.exitCode, 0);
  const left = (await cli(['daemons', 'list', '--json', ...operates])).lines();
  assert.deepEqual(
    left.map(({ daemonId }) => daemonId),
    [chosen === 'daemon-a' ? 'daemon-b' : 'daemon-a'],
  );

  for (const [words, why] of [
    [['daemons', 'drain', 'nobody', ...operates], /there is no daemon "nobody"/],
    [['rooms', 'list', ...as(alice)], /403 FORBIDDEN/],
    [['rooms', 'list', ...as('x')], /401 UNAUTHORIZED/],
  ] as const) {
    const { code, stdout, stderr } = await cli(words);
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, why);
  }
});

test('`daemons drain` reports a daemon that ended at its deadline with peers in its rooms', async (t) => {
  const stack = await Stack.start(t);
  const daemon = await stack.startDaemon('daemon-a');
  await SignalingClient.join(daemon.url, 'lobby', 'alice');
  const { code, stdout, stderr } = await cli([
    'daemons',
    'drain',
    'daemon-a',
    '--deadline',
    '1',
    '--control-plane',
    stack.controlPlaneUrl,
  ]);
  assert.equal(code, 1);
  assert.match(stdout, /daemon-a has ended; rooms: 1, peers: 1\n$/);
  assert.match(stderr, /ended at its deadline, with peers in its rooms/);
});
