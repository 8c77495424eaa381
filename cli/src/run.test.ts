import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { AccessTokens } from '@mediasoup-server/control-plane/access-tokens';
import { AssignmentKeys } from '@mediasoup-server/control-plane/assignment-keys';
import { run } from './run.ts';
import type { Environment } from './serverSettings.ts';

const daemonKey = 'a key of the tests alone';
const secret = 'a secret of the tests that is long enough';

async function cli(words: readonly string[], environment: Environment = {}) {
  const written = { stdout: '', stderr: '' };
  const stream = (name: keyof typeof written) => ({ write: (text: string) => (written[name] += text) });
  const code = await run(words, { environment, stdout: stream('stdout'), stderr: stream('stderr') });
  return { code, ...written };
}

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'cli-'));
  t.after(() => rm(path, { recursive: true }));
  return path;
}

test('an invalid command line exits with 2 and names the error', async () => {
  for (const [words, why] of [
    [[], /Usage: mediasoup-server/],
    [['rooms'], /Usage: mediasoup-server rooms/],
    [['dance'], /unknown command 'dance'/],
    [['config', 'check'], /missing required argument 'server'/],
    [['config', 'check', 'client'], /Allowed choices are control-plane, media-daemon/],
    [['config', 'check', 'media-daemon', '--loud'], /unknown option '--loud'/],
    [['rooms', 'list', '--limit', '0'], /not a whole number of at least 1/],
    [['token', '--room', 'lobby'], /required option '--peer <peerId>' not specified/],
    [['token', '--room', 'lobby', '--peer', 'alice', '--grant', 'fly'], /Allowed choices are publish/],
    [['token', '--room', 'lobby', '--peer', 'alice'], /nothing to sign with/],
    [['token', '--room', '', '--peer', 'alice'], /argument '' is invalid. It is empty/],
    [['token', '--room', 'lobby', '--peer', 'x'.repeat(129)], /It is longer than 128 bytes/],
    [['token', '--room', '*', '--peer', 'alice'], /for all rooms needs the grant admin/],
    [['rooms', 'explain', '..'], /It is "\." or "\.\."/],
    [['rooms', 'list', '--control-plane', 'localhost:3000'], /not a URL that begins with http:\/\//],
    [['daemons', 'drain', 'daemon-a', '--cert', 'cert.pem'], /--cert and --key come together/],
  ] as const) {
    const { code, stdout, stderr } = await cli(words);
    assert.deepEqual([code, stdout], [2, ''], words.join(' '));
    assert.match(stderr, why);
  }
});

test('help that was asked for ends with 0', async () => {
  for (const words of [['--help'], ['help'], ['rooms', '--help'], ['rooms', 'list', '--help'], ['--version']]) {
    const { code, stdout, stderr } = await cli(words);
    assert.deepEqual([code, stderr], [0, ''], words.join(' '));
    assert.ok(stdout.length > 0);
  }
});

test('`config check` names invalid settings and unreadable files', async (t) => {
  const path = await folder(t);
  const good = { MEDIA_DAEMON_LISTEN_PORT: '1' };
  assert.equal((await cli(['config', 'check', 'media-daemon'], good)).code, 0);
  const bad = await cli(['config', 'check', 'control-plane'], { CONTROL_PLANE_LISTEN_PORT: 'x' });
  assert.equal(bad.code, 1);
  assert.match(bad.stderr, /CONTROL_PLANE_LISTEN_PORT: is not a whole number/);
  assert.match(bad.stderr, /CONTROL_PLANE_DAEMON_KEY/);
  const files = {
    MEDIA_DAEMON_TLS_CERT_FILE: join(path, 'cert.pem'),
    MEDIA_DAEMON_TLS_KEY_FILE: join(path, 'key.pem'),
  };
  await writeFile(files.MEDIA_DAEMON_TLS_CERT_FILE, '', { mode: 0o600 });
  const unreadable = await cli(['config', 'check', 'media-daemon'], files);
  assert.equal(unreadable.code, 1);
  assert.match(unreadable.stderr, /^MEDIA_DAEMON_TLS_KEY_FILE: cannot be read: .*no such file/);
  const certificate = files.MEDIA_DAEMON_TLS_CERT_FILE;
  await writeFile(files.MEDIA_DAEMON_TLS_KEY_FILE, '', { mode: 0o644 });
  const readable = await cli(['config', 'check', 'media-daemon'], files);
  assert.match(readable.stderr, /^MEDIA_DAEMON_TLS_KEY_FILE: .*mode 0644.*MEDIA_DAEMON_ALLOW_READABLE_KEY_FILES=true/);
  const controlPlane = { CONTROL_PLANE_DAEMON_KEY: daemonKey };
  for (const [server, settings] of [
    ['media-daemon', { ...files, MEDIA_DAEMON_TLS_KEY_FILE: certificate }],
    ['media-daemon', { MEDIA_DAEMON_GRPC_TLS_CERT_FILE: certificate, MEDIA_DAEMON_GRPC_TLS_KEY_FILE: certificate }],
    [
      'control-plane',
      { ...controlPlane, CONTROL_PLANE_TLS_CERT_FILE: certificate, CONTROL_PLANE_TLS_KEY_FILE: certificate },
    ],
    ['control-plane', { ...controlPlane, CONTROL_PLANE_ASSIGNMENT_KEY_FILE: certificate }],
  ] as const) {
    const useless = await cli(['config', 'check', server], settings);
    assert.equal(useless.code, 1, JSON.stringify(settings));
    assert.ok(useless.stderr.includes(certificate), useless.stderr);
  }
});

test('`config show` prints the effective settings, files over environment, without secrets', async (t) => {
  const file = join(await folder(t), 'control-plane.env');
  await writeFile(
    file,
    `# The settings.\nCONTROL_PLANE_DAEMON_KEY="${daemonKey}"\nCONTROL_PLANE_TRUSTED_PROXIES=10.0.0.0/8,::1\n` +
      `CONTROL_PLANE_TURN_URLS=turn:a\nCONTROL_PLANE_TURN_SECRET='${secret}'\nCONTROL_PLANE_LISTEN_PORT=81\n` +
      `CONTROL_PLANE_ICE_SERVERS='[{"urls":"turn:b","credential":"${secret}"}]'\n`,
  );
  const words = ['config', 'show', 'control-plane', '--env-file', file];
  const { code, stdout } = await cli([...words, '--json'], { CONTROL_PLANE_LISTEN_PORT: '80', HOME: '/' });
  assert.equal(code, 0);
  const settings = new Map(
    stdout
      .trim()
      .split('\n')
      .map((line) => [JSON.parse(line).variable, JSON.parse(line)]),
  );
  const shown = (name: string) => [
    settings.get(`CONTROL_PLANE_${name}`)?.value,
    settings.get(`CONTROL_PLANE_${name}`)?.from,
  ];
  assert.deepEqual(shown('LISTEN_PORT'), ['81', 'environment']);
  assert.deepEqual(shown('METRICS_PORT'), ['9090', 'default']);
  assert.deepEqual(shown('TRUSTED_PROXIES'), ['10.0.0.0/8,::1', 'environment']);
  assert.deepEqual(shown('ACCESS_TOKEN_SECRET'), [undefined, 'default']);
  for (const hidden of ['DAEMON_KEY', 'TURN_SECRET', 'ICE_SERVERS'])
    assert.deepEqual(shown(hidden), ['(hidden)', 'environment']);
  const text = await cli(words);
  assert.match(text.stdout, /^CONTROL_PLANE_LISTEN_PORT +environment +81$/m);
  for (const output of [stdout, text.stdout]) assert.ok(!output.includes(daemonKey) && !output.includes(secret));
  assert.match((await cli(['config', 'show', 'control-plane', '--env-file', `${file}.no`])).stderr, /cannot read/);
});

test('`keys assignment` makes a key that the control plane signs with, and never writes over one', async (t) => {
  const file = join(await folder(t), 'key.pem');
  const made = await cli(['keys', 'assignment', file, '--json']);
  assert.equal(made.code, 0);
  const assignmentKeys = await AssignmentKeys.load({ file, dataDir: '' });
  assert.equal(JSON.parse(made.stdout).kid, (await assignmentKeys.jwks()).keys[0]?.kid);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  const before = await readFile(file, 'utf8');
  const again = await cli(['keys', 'assignment', file]);
  assert.equal(again.code, 1);
  assert.match(again.stderr, /the key was not written: EEXIST/);
  assert.equal(await readFile(file, 'utf8'), before);
});

test('`keys secret` prints a different secret each time, which every setting accepts', async () => {
  const [first, second] = [await cli(['keys', 'secret']), await cli(['keys', 'secret'])];
  assert.notEqual(first.stdout, second.stdout);
  const { code } = await cli(['config', 'check', 'control-plane'], {
    CONTROL_PLANE_DAEMON_KEY: first.stdout.trim(),
    CONTROL_PLANE_MODE: 'jwt',
    CONTROL_PLANE_CORS_ORIGINS: 'https://app.example.com',
    CONTROL_PLANE_ACCESS_TOKEN_SECRET: second.stdout.trim(),
  });
  assert.equal(code, 0);
});

test('`token` signs access tokens that the control plane accepts, with the secret or a key of each kind', async (t) => {
  const path = await folder(t);
  const words = ['token', '--room', '*', '--peer', 'operator', '--grant', 'admin', '--expires-in', '60'];
  const access = {
    peerId: 'operator',
    room: '*',
    grants: { admin: true, publish: false, subscribe: false, data: false },
  };
  const byEnvironment = await cli(words, { CONTROL_PLANE_ACCESS_TOKEN_SECRET: secret });
  const withSecret = await AccessTokens.load({ accessTokenSecret: secret });
  assert.deepEqual(await withSecret.verify(byEnvironment.stdout.trim()), access);
  for (const [kind, { publicKey, privateKey }] of Object.entries({
    ed25519: generateKeyPairSync('ed25519'),
    ec: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  })) {
    const [privateFile, publicFile] = [join(path, kind), join(path, `${kind}.pub`)];
    await writeFile(privateFile, privateKey.export({ type: 'pkcs8', format: 'pem' }));
    await writeFile(publicFile, publicKey.export({ type: 'spki', format: 'pem' }));
    const { code, stdout } = await cli([...words, '--key', privateFile, '--json']);
    assert.equal(code, 0, kind);
    const tokens = await AccessTokens.load({ accessTokenKeyFile: publicFile });
    assert.deepEqual(await tokens.verify(JSON.parse(stdout).token), access, kind);
    assert.equal((await cli([...words, '--key', publicFile])).code, 1);
  }
});

test('`token` refuses a secret that the control plane does not take', async () => {
  const words = ['token', '--room', 'lobby', '--peer', 'alice'];
  const { code, stderr } = await cli(words, { CONTROL_PLANE_ACCESS_TOKEN_SECRET: 'short' });
  assert.equal(code, 1);
  assert.match(stderr, /^CONTROL_PLANE_ACCESS_TOKEN_SECRET: is shorter than/);
});

test('a control plane or a server that does not answer ends the command with 3', async () => {
  const nobody = ['--control-plane', 'http://127.0.0.1:1'];
  for (const words of [
    ['rooms', 'list'],
    ['daemons', 'list'],
    ['rooms', 'explain', 'lobby'],
    ['daemons', 'drain', 'd'],
  ]) {
    const { code, stderr } = await cli([...words, ...nobody]);
    assert.equal(code, 3, words.join(' '));
    assert.match(stderr, /cannot reach the control plane at http:\/\/127.0.0.1:1/);
  }
  const { code } = await cli(['health', 'media-daemon'], { MEDIA_DAEMON_LISTEN_PORT: '1' });
  assert.equal(code, 3);
});

test('a reader that has seen enough ends the command without a word', async () => {
  const main = fileURLToPath(new URL('main.ts', import.meta.url));
  const child = spawn(process.execPath, [main, 'config', 'show', 'media-daemon'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.destroy();
  const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  assert.deepEqual([code, stderr], [0, '']);
});
