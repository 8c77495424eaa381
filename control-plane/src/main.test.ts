import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { get } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { problemOf } from './testing/testControlPlane.ts';

describe('main', () => {
  let dataDir: string;
  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'control-plane-main-'));
  });
  after(() => rm(dataDir, { recursive: true }));

  const run = (settings: Record<string, string>, ...args: string[]) => {
    const { PATH = '', NODE_COMPILE_CACHE = '' } = process.env;
    return spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), ...args], {
      env: {
        PATH,
        NODE_COMPILE_CACHE,
        CONTROL_PLANE_DAEMON_KEY: 'a key for tests only',
        CONTROL_PLANE_DATA_DIR: dataDir,
        CONTROL_PLANE_LISTEN_PORT: '0',
        CONTROL_PLANE_METRICS_PORT: '0',
        ...settings,
      },
    });
  };
  /** The exit code and all that was written to standard error. */
  async function end(child: ChildProcess) {
    let errors = '';
    child.stdout?.resume();
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      errors += chunk;
    });
    const [code] = await once(child, 'close');
    return { code, errors };
  }
  async function listening(child: ChildProcess): Promise<{ url: string; metricsPort: number }> {
    assert.ok(child.stdout);
    for await (const json of createInterface(child.stdout)) {
      const line = JSON.parse(json);
      if (line.msg === 'listening') return line;
    }
    throw new Error('it ended before it listened');
  }

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    test(`starts, says where it listens, serves, and ends with 0 on ${signal}`, async () => {
      const child = run({});
      const { url } = await listening(child);
      assert.equal((await fetch(`${url}/ready`)).status, 200);
      assert.equal((await problemOf(await fetch(url))).status, 404);
      child.kill(signal);
      assert.deepEqual(await end(child), { code: 0, errors: '' });
    });
  }

  test('creates its signing key, readable by its owner only, and keeps it', async () => {
    const keys = [];
    for (let time = 0; time < 2; time++) {
      const child = run({});
      const { url } = await listening(child);
      keys.push(await (await fetch(`${url}/.well-known/jwks.json`)).text());
      child.kill();
      await end(child);
    }
    assert.equal(keys[0], keys[1]);
    assert.equal((await stat(join(dataDir, 'assignment-key.pem'))).mode & 0o777, 0o600);
  });

  test('"tables" creates the tables, and again changes nothing', async () => {
    for (let time = 0; time < 2; time++) assert.deepEqual(await end(run({}, 'tables')), { code: 0, errors: '' });
  });

  test('serves HTTPS with a certificate', async () => {
    const [tlsKey, tlsCert] = [join(dataDir, 'tls-key.pem'), join(dataDir, 'tls-cert.pem')];
    const name = ['-subj', '/CN=localhost', '-days', '1'];
    const files = ['-keyout', tlsKey, '-out', tlsCert];
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...name, ...files], { stdio: 'ignore' });
    const child = run({ CONTROL_PLANE_TLS_CERT_FILE: tlsCert, CONTROL_PLANE_TLS_KEY_FILE: tlsKey });
    const { url } = await listening(child);
    assert.match(url, /^https:/);
    const [answer] = await once(get(`${url}/health`, { rejectUnauthorized: false }), 'response');
    assert.equal(await text(answer), '{"message":"ok"}');
    child.kill();
    assert.equal((await end(child)).code, 0);
  });

  for (const [what, settings, message] of [
    ['a wrong setting', { CONTROL_PLANE_LISTEN_PORT: 'x' }, /CONTROL_PLANE_LISTEN_PORT/],
    [
      'a certificate that does not exist',
      { CONTROL_PLANE_TLS_CERT_FILE: '/none.pem', CONTROL_PLANE_TLS_KEY_FILE: '/none.pem' },
      /\/none\.pem/,
    ],
    ['a signing key that does not exist', { CONTROL_PLANE_ASSIGNMENT_KEY_FILE: '/none.pem' }, /\/none\.pem/],
    ['a signing key that is none', { CONTROL_PLANE_ASSIGNMENT_KEY_FILE: import.meta.filename }, /main\.test\.ts/],
    ['a page folder that does not exist', { CONTROL_PLANE_STATIC_DIR: '/none' }, /CONTROL_PLANE_STATIC_DIR/],
  ] as const) {
    test(`with ${what} ends with 1 and one message that names it`, async () => {
      const { code, errors } = await end(run(settings));
      assert.equal(code, 1);
      assert.match(errors, message);
      assert.doesNotMatch(errors, /\n {4}at /);
    });
  }

  test('with a command that does not exist ends with 1', async () => {
    assert.equal((await end(run({}, 'dance'))).code, 1);
  });

  test('with a port that is in use ends with 1 and names it', async () => {
    const blocker = createServer().listen(0, '127.0.0.1');
    await once(blocker, 'listening');
    const { port } = blocker.address() as { port: number };
    for (const name of ['CONTROL_PLANE_LISTEN_PORT', 'CONTROL_PLANE_METRICS_PORT']) {
      const { code, errors } = await end(run({ [name]: String(port) }));
      assert.equal(code, 1);
      assert.match(errors, new RegExp(String(port)));
    }
    blocker.close();
  });

  test('with a data folder that another control plane uses ends with 1 and names it', async () => {
    const first = run({});
    await listening(first);
    const { code, errors } = await end(run({}));
    assert.equal(code, 1);
    assert.ok(errors.includes(dataDir), errors);
    first.kill();
    assert.equal((await end(first)).code, 0);
  });
});
