import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { type RequestListener, request as requestPlain } from 'node:http';
import { request } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { connect } from 'node:tls';
import { type ListenerOptions, listen } from './listener.ts';
import { createLogger } from './logger.ts';

const logger = createLogger('test', 'silent');
const greet: RequestListener = (_request, response) => void response.end('hello');
const waiting = { interval: 20, timeout: 60_000 };

function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'listener-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

/** Creates a self-signed certificate and its key. */
function certificate(directory: string, name: string): { tlsCertFile: string; tlsKeyFile: string } {
  const files = { tlsCertFile: join(directory, `${name}.crt`), tlsKeyFile: join(directory, `${name}.key`) };
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const output = ['-keyout', files.tlsKeyFile, '-out', files.tlsCertFile];
  execFileSync('openssl', ['req', '-x509', ...curve, '-days', '1', '-subj', `/CN=${name}`, ...output], {
    stdio: 'pipe',
  });
  return files;
}

async function start(t: TestContext, options: Partial<ListenerOptions> = {}) {
  const listener = await listen(greet, { host: '127.0.0.1', port: 0, certificatePollMs: 20, ...options }, logger);
  t.after(() => listener.close());
  return listener;
}

/** The name in the certificate of a new connection. */
async function shownName(port: number): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const { subject } = socket.getPeerCertificate();
  socket.destroy();
  return String(subject.CN);
}

test('`listen` without a certificate serves HTTP on a port that the system chose', async (t) => {
  const { port, secure } = await start(t);
  assert.equal(secure, false);
  assert.equal(await (await fetch(`http://127.0.0.1:${port}`)).text(), 'hello');
});

test('`listen` with a certificate serves HTTPS', async (t) => {
  const { port, secure } = await start(t, certificate(temporaryDirectory(t), 'first'));
  assert.equal(secure, true);
  assert.equal(await shownName(port), 'first');
  const asked = request({ host: '127.0.0.1', port, rejectUnauthorized: false, agent: false }).end();
  const [answer] = await once(asked, 'response');
  assert.equal(answer.statusCode, 200);
  answer.resume();
  await once(answer, 'end');
});

test('new connections get a certificate that was replaced on disk, without a restart', async (t) => {
  const directory = temporaryDirectory(t);
  const files = certificate(directory, 'first');
  const second = certificate(directory, 'second');
  const { port } = await start(t, files);
  assert.equal(await shownName(port), 'first');
  copyFileSync(second.tlsCertFile, files.tlsCertFile);
  copyFileSync(second.tlsKeyFile, files.tlsKeyFile);
  await t.waitFor(async () => assert.equal(await shownName(port), 'second'), waiting);
});

test('`listen` notices a certificate that is replaced while it reads the former one', async (t) => {
  const directory = temporaryDirectory(t);
  const { tlsCertFile, tlsKeyFile: firstKeyFile } = certificate(directory, 'first');
  const second = certificate(directory, 'second');
  // The key is read after the certificate, from a pipe that delays `listen` until it is written.
  const tlsKeyFile = join(directory, 'pipe.key');
  execFileSync('mkfifo', [tlsKeyFile]);
  const starting = start(t, { tlsCertFile, tlsKeyFile });
  const pipe = await open(tlsKeyFile, 'w');
  copyFileSync(second.tlsCertFile, tlsCertFile);
  renameSync(second.tlsKeyFile, tlsKeyFile);
  await pipe.writeFile(readFileSync(firstKeyFile));
  await pipe.close();
  const { port } = await starting;
  await t.waitFor(async () => assert.equal(await shownName(port), 'second'), waiting);
});

test('an invalid new certificate leaves the former one in use, and a later valid one is loaded', async (t) => {
  const directory = temporaryDirectory(t);
  const files = certificate(directory, 'first');
  const second = certificate(directory, 'second');
  const errors: string[] = [];
  const recording = createLogger('test', 'silent');
  recording.error = ((_details: unknown, message: string) => void errors.push(message)) as typeof recording.error;
  const listener = await listen(greet, { host: '127.0.0.1', port: 0, certificatePollMs: 20, ...files }, recording);
  t.after(() => listener.close());
  writeFileSync(files.tlsCertFile, 'not a certificate');
  await t.waitFor(() => assert.ok(errors.length > 0), waiting);
  assert.equal(errors[0], 'TLS certificate not replaced; the old one stays');
  assert.equal(await shownName(listener.port), 'first');
  copyFileSync(second.tlsCertFile, files.tlsCertFile);
  copyFileSync(second.tlsKeyFile, files.tlsKeyFile);
  await t.waitFor(async () => assert.equal(await shownName(listener.port), 'second'), waiting);
});

test('`listen` with a missing file rejects and names it', async (t) => {
  const directory = temporaryDirectory(t);
  const files = certificate(directory, 'first');
  const missing = join(directory, 'missing.pem');
  await assert.rejects(start(t, { ...files, tlsCertFile: missing }), {
    message: `cannot read the TLS certificate ${missing}: there is no such file`,
  });
  await assert.rejects(start(t, { ...files, tlsKeyFile: missing }), {
    message: `cannot read the TLS key ${missing}: there is no such file`,
  });
});

test('`listen` with an invalid certificate, or with another certificate’s key, rejects and names the files', async (t) => {
  const directory = temporaryDirectory(t);
  const files = certificate(directory, 'first');
  const { tlsKeyFile } = certificate(directory, 'second');
  const broken = join(directory, 'broken.pem');
  writeFileSync(broken, 'not a certificate');
  for (const wrong of [
    { ...files, tlsCertFile: broken },
    { ...files, tlsKeyFile },
  ]) {
    await assert.rejects(
      start(t, wrong),
      ({ message }: Error) => message.includes(wrong.tlsCertFile) && message.includes(wrong.tlsKeyFile),
    );
  }
});

test('`listen` on a port in use rejects and says so', async (t) => {
  const { port } = await start(t);
  await assert.rejects(start(t, { port }), {
    message: `cannot listen on 127.0.0.1:${port}: the port is in use by another process`,
  });
});

for (const [what, sent] of [
  ['headers', 'GET / HTTP/1.1\r\nHost: a\r\n'],
  ['a body', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf'],
] as const) {
  test(`a client that does not end ${what} gets 408 and is disconnected, and others are served meanwhile`, async (t) => {
    const timeouts = { headersTimeout: 100, requestTimeout: 200, connectionsCheckingInterval: 20 };
    const listener = await listen(
      (request, response) => void request.resume().on('end', () => response.end('hello')),
      { host: '127.0.0.1', port: 0, timeouts },
      logger,
    );
    t.after(() => listener.close());
    const slow = connectTcp(listener.port, '127.0.0.1', () => slow.write(sent));
    const answered = text(slow);
    assert.equal(await (await fetch(`http://127.0.0.1:${listener.port}`)).text(), 'hello');
    assert.match(await answered, /^HTTP\/1\.1 408 /);
  });
}

test('a server that stops lets pending requests end, and disconnects half-sent and upgraded ones', async (t) => {
  let answer = () => {};
  const handler: RequestListener = (_request, response) => {
    answer = () => void response.end('hello');
  };
  const stop = async (lastAnswersMs: number) => {
    const { server, port, close } = await listen(handler, { host: '127.0.0.1', port: 0, lastAnswersMs }, logger);
    server.on('upgrade', (_request, socket) => void socket.write('upgraded'));
    const open = async (sent: string) => {
      const socket = connectTcp({ host: '127.0.0.1', port, allowHalfOpen: true }, () => socket.write(sent));
      t.after(() => socket.destroy());
      await once(server, 'connection');
      return socket;
    };
    return { server, open, close };
  };
  const patient = await stop(60_000);
  const asking = await patient.open('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  await once(patient.server, 'request');
  const ended = patient.close();
  answer();
  assert.match(await text(asking), /hello/);
  asking.end();
  await ended;

  const hurried = await stop(50);
  await hurried.open('GET / HTTP/1.1\r\nHost: a\r\n');
  await hurried.open('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf');
  const upgraded = await hurried.open('GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n');
  await once(upgraded, 'data');
  await hurried.close();
});

test('`listen` limits the time of requests, and of headers more', async (t) => {
  const { server } = await start(t);
  assert.ok(server.headersTimeout > 0 && server.headersTimeout < server.requestTimeout);
  // A load balancer that reuses a connection just as it is closed here answers its client 502.
  assert.ok(server.keepAliveTimeout > 60_000);
});

for (const secure of [false, true]) {
  test(`half-sent requests of one address leave room for other addresses${secure ? ' (TLS)' : ''}`, async (t) => {
    let refused = 0;
    const perAddress = { most: 3, trustedProxies: ['127.0.0.4'], onRefused: () => void refused++ };
    const tls = secure ? certificate(temporaryDirectory(t), 'first') : {};
    const { port } = await start(t, { ...tls, maxConnections: 20, perAddress });
    const sendHalf = (localAddress: string) => {
      const socket = connectTcp({ port, host: '127.0.0.1', localAddress });
      t.after(() => socket.destroy());
      // Over TLS, half a handshake takes the place of half a request.
      socket.on('error', () => {}).write(secure ? Buffer.from([22, 3, 1]) : 'GET / HTTP/1.1\r\nHo');
      return new Promise((resolve) => socket.once('close', resolve));
    };
    const warned = t.mock.method(logger, 'warn', () => {});
    const fromOne = Array.from({ length: 30 }, () => sendHalf('127.0.0.2'));
    await t.waitFor(() => assert.equal(refused, 27), waiting);
    assert.deepEqual(
      warned.mock.calls.map(({ arguments: [fields] }) => fields),
      [{ address: '127.0.0.2', most: 3, refused: 1 }],
      'the first is logged, and what follows within a minute is not',
    );
    const ask = (localAddress: string) =>
      new Promise((resolve, reject) => {
        const options = { host: '127.0.0.1', port, localAddress, rejectUnauthorized: false, agent: false };
        const asked = secure ? request(options) : requestPlain(options);
        asked.once('response', (answer) => resolve(answer.resume().statusCode)).once('error', reject);
        asked.end();
      });
    assert.equal(await ask('127.0.0.3'), 200);
    await assert.rejects(ask('127.0.0.2'));
    assert.equal(await Promise.race([Promise.all(fromOne), ask('127.0.0.3')]), 200, 'the first three stay open');
    for (let count = 0; count < 6; count++) void sendHalf('127.0.0.4');
    assert.equal(await ask('127.0.0.4'), 200, 'a trusted proxy is not limited');
  });
}

test('connections beyond the limit are closed at once, and idle ones as well, to make room', async (t) => {
  const { port } = await start(t, { maxConnections: 2 });
  const open = async () => {
    const socket = connectTcp(port, '127.0.0.1');
    t.after(() => socket.destroy());
    socket.on('error', () => {}).resume();
    const ended = new Promise((resolve) => socket.once('close', resolve));
    await once(socket, 'connect');
    const ask = async () => {
      socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
      const [data] = await once(socket, 'data');
      return String(data).split('\r\n')[0];
    };
    return { ended, ask };
  };
  const [first, second] = [await open(), await open()];
  for (const { ask } of [first, second]) assert.equal(await ask(), 'HTTP/1.1 200 OK');
  await (await open()).ended;
  // Both have got their answers, so they are closed to make room for the next.
  await Promise.all([first.ended, second.ended]);
  assert.equal(await (await open()).ask(), 'HTTP/1.1 200 OK');
});
