import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { SignalingClient } from '@mediasoup-server/media-daemon/testing/SignalingClient';
import { SignJWT } from 'jose';
import { bearing, commandsOf, type Running, Stack } from '../support/stack.ts';
import { waitUntil } from '../support/waitUntil.ts';

const ACCESS_SECRET = 'a secret of the tests that is long enough';
const TURN_SECRET = 'a secret of the TURN servers alone';
const DAEMON_KEY = 'a key that no log may have';
/** The signature of a token, which would show that a part of it was logged. */
const signatureOf = (token: string): string => token.split('.')[2] ?? token;

const accessToken = (claims: object) =>
  new SignJWT({ aud: 'mediasoup-server', exp: Math.floor(Date.now() / 1000) + 60, ...claims })
    .setProtectedHeader({ alg: 'HS256', typ: 'access+jwt' })
    .sign(new TextEncoder().encode(ACCESS_SECRET));

/** Control plane and daemon at their lowest log level. */
async function talkativeStack(t: TestContext) {
  const stack = await Stack.start(t, {
    CONTROL_PLANE_MODE: 'jwt',
    CONTROL_PLANE_ACCESS_TOKEN_SECRET: ACCESS_SECRET,
    CONTROL_PLANE_CORS_ORIGINS: 'https://app.example.com',
    CONTROL_PLANE_DAEMON_KEY: DAEMON_KEY,
    CONTROL_PLANE_TURN_URLS: 'turn:turn.example.com',
    CONTROL_PLANE_TURN_SECRET: TURN_SECRET,
    CONTROL_PLANE_LOG_LEVEL: 'trace',
  });
  const daemon = await stack.startDaemon('daemon-a', {
    MEDIA_DAEMON_DAEMON_KEY: DAEMON_KEY,
    MEDIA_DAEMON_MODE: 'jwt',
    MEDIA_DAEMON_TURN_URLS: 'turn:turn.example.com',
    MEDIA_DAEMON_TURN_SECRET: TURN_SECRET,
    MEDIA_DAEMON_LOG_LEVEL: 'trace',
  });
  return { stack, daemon };
}

type Line = { readonly [field: string]: unknown } & { readonly msg: string };
const linesOf = ({ log }: Pick<Running, 'log'>): Line[] => log.map((line) => JSON.parse(line));

test('the processes log no secret, and every line has the ids that it concerns', async (t) => {
  const { stack, daemon } = await talkativeStack(t);
  const post = async (path: string, body: object, bearer?: string, requestId?: string) => {
    const headers = {
      'content-type': 'application/json',
      ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
      ...(requestId !== undefined && { 'x-request-id': requestId }),
    };
    return fetch(stack.controlPlaneUrl + path, { method: 'POST', headers, body: JSON.stringify(body) });
  };
  const secrets: Record<string, string> = { ACCESS_SECRET, TURN_SECRET, DAEMON_KEY };
  const secret = (name: string, value: string) => {
    assert.ok(value.length > 10, name);
    secrets[name] = value;
    return value;
  };

  // Alice gets an assignment, joins with it, loses her socket and resumes.
  const alices = secret(
    'access token',
    await accessToken({ sub: 'alice', room: 'lobby', grants: { subscribe: true } }),
  );
  const answered = await post('/rooms/lobby/assignments', { peerId: 'alice' }, alices, 'alices-request');
  assert.equal(answered.headers.get('x-request-id'), 'alices-request');
  const { url, token, iceServers } = (await answered.json()) as Record<string, string> & {
    iceServers: { credential: string }[];
  };
  secret('assignment token', String(token));
  secret('TURN credential', String(iceServers[0]?.credential));
  const alice = await SignalingClient.openUrl(String(url));
  const joining = { roomId: 'lobby', peerId: 'alice', transports: ['recv'] };
  const joined = await alice.request('joinRoom', joining);
  secret('sessionId', joined.sessionId);
  secret('ICE password', joined.transports.recv.iceParameters.password);
  alice.socket.terminate();
  const resuming = `${daemon.url}/?roomId=lobby&peerId=alice&sessionId=${joined.sessionId}`;
  const again = await SignalingClient.openUrl(resuming);
  assert.equal((await again.request('joinRoom', joining)).resumed, true);

  // Invalid tokens, in the URL and elsewhere.
  const forged = secret('forged token', `${String(token).slice(0, -20)}${'A'.repeat(20)}`);
  const mallory = await SignalingClient.openUrl(`${daemon.url}/?roomId=lobby&peerId=mallory&token=${forged}`);
  assert.equal(await mallory.closed, 4000);
  await fetch(`${stack.controlPlaneUrl}/rooms/lobby?token=${forged}`);
  await post('/rooms/lobby/assignments', { peerId: 'mallory' }, forged);
  await post('/daemons/daemon-a/heartbeats', {}, secret('wrong key', 'a key that is wrong'));

  // Commands, and a command that fails.
  const operator = secret('admin token', await accessToken({ sub: 'operator', room: '*', grants: { admin: true } }));
  const issued = await post('/command-tokens', {}, operator);
  const command = secret('command token', ((await issued.json()) as { token: string }).token);
  const commands = commandsOf(t, daemon);
  await commands.listPeers({ roomId: 'lobby' }, bearing(command));
  await assert.rejects(commands.listPeers({ roomId: 'lobby' }, bearing(forged)));
  await assert.rejects(commands.closePeer({ roomId: 'lobby', peerId: 'nobody' }, bearing(command)));

  // A registration, and a heartbeat of an unknown daemon.
  const registered = await post('/daemons/daemon-b/registrations', registration, DAEMON_KEY);
  assert.equal(registered.status, 201);
  secret('secret of an incarnation', ((await registered.json()) as { secret: string }).secret);
  again.close();
  await again.closed;
  const logged = (line: string) =>
    waitUntil(`the daemon logs "${line}"`, () => linesOf(daemon).some(({ msg }) => msg === line));
  await logged('room closed');
  const ended = once(stack.controlPlane, 'exit');
  stack.controlPlane.kill('SIGKILL');
  await ended;
  await logged('heartbeat failed');

  const running = [stack.running, daemon];
  const written = running.flatMap(({ log, errors }) => [...log, ...errors]).join('\n');
  for (const [name, value] of Object.entries(secrets)) {
    const shown = [value, signatureOf(value), encodeURIComponent(value)].some((form) => written.includes(form));
    assert.ok(!shown, `the log has the ${name}`);
  }

  const [controlPlaneLines, daemonLines] = running.map(linesOf) as [Line[], Line[]];
  for (const line of [...controlPlaneLines, ...daemonLines]) {
    for (const field of ['level', 'time', 'service', 'msg']) assert.ok(line[field] !== undefined, JSON.stringify(line));
  }
  for (const line of daemonLines) assert.equal(line.daemonId, 'daemon-a', JSON.stringify(line));
  const find = (lines: Line[], msg: string): Line => {
    const line = lines.find((one) => one.msg === msg);
    assert.ok(line, msg);
    return line;
  };
  const about = { roomId: 'lobby', peerId: 'alice' };
  for (const msg of ['peer joined', 'socket lost', 'session resumed', 'peer left']) has(find(daemonLines, msg), about);
  has(find(daemonLines, 'connection refused'), { roomId: 'lobby', peerId: 'mallory' });
  // One request in both processes.
  const request = { requestId: 'alices-request' };
  has(find(controlPlaneLines, 'peer assigned'), { ...about, ...request, daemonId: 'daemon-a' });
  has(find(daemonLines, 'room created'), { roomId: 'lobby', ...request });
  const failed = daemonLines.find(({ msg, method }) => msg === 'command' && method === 'closePeer');
  has(failed ?? { msg: 'none' }, { roomId: 'lobby', peerId: 'nobody', code: 'NOT_FOUND' });
});

const registration = {
  incarnation: 'first',
  region: 'local',
  zone: 'local',
  url: 'ws://127.0.0.1:1',
  grpcAddress: '127.0.0.1:1',
  version: '0',
};

function has(line: Line, fields: Record<string, string>): void {
  for (const [field, value] of Object.entries(fields))
    assert.equal(line[field], value, `${field} in ${JSON.stringify(line)}`);
}
