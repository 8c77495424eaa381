import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Assignment } from '@mediasoup-server/proto/http';
import { CLOSE_COME_BACK, CLOSE_FOR_GOOD } from '@mediasoup-server/proto/protoo';
import type { Snapshot } from '@mediasoup-server/proto/signaling';
import type { RoomError } from '../errors.ts';
import { ScriptedDaemon } from '../testing/ScriptedDaemon.ts';
import { Heartbeat } from './Heartbeat.ts';
import { Signaling } from './Signaling.ts';

const joined = { sessionId: 's1', peers: [] };
const snapshot = { transports: [], ownProducers: [], ownDataProducers: [] } as unknown as Snapshot;
const resumed = { ...joined, snapshot };

/** A client that is about to join at a daemon of which the test writes the answers. */
async function joining(t: TestContext, signal?: AbortSignal) {
  const daemon = await ScriptedDaemon.start(t);
  const told: unknown[][] = [];
  const assignment = { url: daemon.url, roomId: 'room', peerId: 'alice' } as Assignment;
  const join = Signaling.join(
    assignment,
    { appData: { name: 'Alice' } },
    (signaling) => {
      t.after(() => signaling.close());
      signaling.on('notification', (notification) => told.push(['notification', notification]));
      signaling.on('lost', ({ code }, silent) => told.push(['lost', code, silent]));
      signaling.on('refused', ({ code, message, status }) => told.push(['refused', code, message, status]));
    },
    signal,
  );
  join.catch(() => {});
  return { daemon, told, join };
}

/** A client that has joined. */
async function inRoom(t: TestContext) {
  const { daemon, told, join } = await joining(t);
  const first = await daemon.socket(0);
  first.answer(await first.request('joinRoom'), joined);
  const { signaling } = await join;
  const isLost = () => daemon.until('the loss to be told', () => told.some(([event]) => event === 'lost'));
  return { daemon, told, first, signaling, isLost };
}

/** Runs the event loop once, so that what is to be seen at once would have been. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 20));

test('`join` says who joins which room, and answers what the daemon does', async (t) => {
  const { daemon, join } = await joining(t);
  const socket = await daemon.socket(0);
  const request = await socket.request('joinRoom');
  assert.deepEqual(request.data, {
    roomId: 'room',
    peerId: 'alice',
    transports: ['send', 'recv'],
    appData: { name: 'Alice' },
  });
  socket.answer(request, joined);
  assert.deepEqual((await join).joined, joined);
});

for (const [status, reason, code] of [
  [403, 'banned', 'REFUSED'],
  [401, 'the token is used up', 'REFUSED'],
  [408, 'too late', 'UNAVAILABLE'],
  [409, 'the room has just closed', 'UNAVAILABLE'],
  [503, 'ROOM_FULL: 2 peers', 'ROOM_FULL'],
  [409, 'ROOM_ELSEWHERE: on another daemon', 'UNAVAILABLE'],
  [503, 'busy', 'UNAVAILABLE'],
  [400, 'appData: is too large', 'INVALID_REQUEST'],
] as const) {
  test(`a join that is refused with ${status} (${reason}) rejects with ${code} and closes its socket`, async (t) => {
    const { daemon, join } = await joining(t);
    const socket = await daemon.socket(0);
    socket.refuse(await socket.request('joinRoom'), status, reason);
    await assert.rejects(join, { code, status, message: reason.replace(/^[A-Z_]+: /, '') });
    await daemon.until('the socket to be closed', () => socket.closeCode !== undefined);
  });
}

test('a join whose socket ends rejects: as refused where the daemon says so, and else as lost', async (t) => {
  for (const [closeCode, code] of [
    [CLOSE_FOR_GOOD, 'REFUSED'],
    [CLOSE_COME_BACK, 'CONNECTION_LOST'],
  ] as const) {
    const { daemon, join, told } = await joining(t);
    const socket = await daemon.socket(0);
    await socket.request('joinRoom');
    socket.notify('error', { code: 403, reason: 'PEER_REMOVED: banned', reasonCode: 'PEER_REMOVED' });
    socket.close(closeCode);
    await assert.rejects(join, (error: RoomError) => {
      assert.equal(error.code, code);
      if (code === 'REFUSED') {
        assert.deepEqual([error.message, error.status, error.serverCode], ['banned', 403, 'PEER_REMOVED']);
      }
      return true;
    });
    assert.deepEqual(told, [], 'whoever joins hears it from `join` alone');
  }
});

test('a join at a daemon that is not there, or that is given up, rejects with DAEMON_UNREACHABLE', async () => {
  const assignment = { url: 'ws://127.0.0.1:9/', roomId: 'room', peerId: 'alice' } as Assignment;
  const options = { appData: {} };
  const unreachable = { code: 'DAEMON_UNREACHABLE' };
  await assert.rejects(
    Signaling.join(assignment, options, () => {}),
    unreachable,
  );
  const giveUp = new AbortController();
  const given = Signaling.join({ ...assignment, url: 'ws://192.0.2.1/' }, options, () => {}, giveUp.signal);
  giveUp.abort();
  await assert.rejects(given, unreachable);
});

test('requests are answered and refused each by itself, and what is no message means nothing', async (t) => {
  const { first, signaling, told } = await inRoom(t);
  const [stats, pause] = [
    signaling.request('getStats', { producerId: 'p' }),
    signaling.request('pauseProducer', { producerId: 'p' }),
  ];
  const [asked, paused] = [await first.request('getStats'), await first.request('pauseProducer')];
  for (const nonsense of ['', 'hello', '1', 'null', '[]', '{"response":true}', '{"notification":true}'])
    first.write(nonsense);
  first.answer({ ...asked, id: 77 });
  first.refuse(paused, 404, 'there is no such producer');
  first.answer(asked, { stats: 1 });
  first.answer(asked, { stats: 2 });
  await assert.rejects(pause, { status: 404, message: 'there is no such producer' });
  assert.deepEqual(await stats, { stats: 1 });
  assert.deepEqual(told, []);
});

test('after `close` the daemon has the close frame, what was asked rejects, and so does what is asked', async (t) => {
  const { daemon, first, signaling, told } = await inRoom(t);
  const asked = signaling.request('getStats', { producerId: 'p' });
  signaling.close();
  await assert.rejects(asked, { code: 'CONNECTION_LOST' });
  await assert.rejects(signaling.request('getStats', { producerId: 'p' }), { code: 'CONNECTION_LOST' });
  await daemon.until('the close frame', () => first.closeCode !== undefined);
  assert.deepEqual([signaling.isOver, told], [true, []]);
});

test('a socket that the daemon closes for good ends the session, with the reason that it gave', async (t) => {
  const { daemon, first, signaling, told } = await inRoom(t);
  const asked = signaling.request('getStats', { producerId: 'p' });
  first.notify('error', { code: 403, reason: 'removed' });
  first.close(CLOSE_FOR_GOOD);
  await assert.rejects(asked, { code: 'CONNECTION_LOST' });
  await daemon.until('the refusal', () => told.length > 0);
  assert.deepEqual(told, [['refused', 'REFUSED', 'removed', 403]]);
  assert.equal(signaling.isOver, true);
});

test('a session goes on over another socket, which does what the lost one left undone, and no more', async (t) => {
  const { daemon, first, signaling, told, isLost } = await inRoom(t);
  first.notify('peerMessage', { sequence: 7 });
  await daemon.until('the message', () => told.length > 0);
  const produce = signaling.request('produce', { kind: 'audio', rtpParameters: { mid: '0' } } as never);
  const before = signaling.request('pauseProducer', { producerId: 'p' });
  signaling.probe();
  for (const method of ['produce', 'pauseProducer', 'ping']) await first.request(method);
  first.reset();
  await isLost();
  assert.deepEqual(told.at(-1), ['lost', 'CONNECTION_LOST', false]);
  const meanwhile = signaling.request('closeProducer', { producerId: 'p' });

  const resuming = signaling.resume();
  const second = await daemon.socket(1);
  assert.match(second.path, /token=t&sessionId=s1$/);
  const request = await second.request('joinRoom');
  assert.deepEqual([request.data.sessionId, request.data.lastMessage, request.data.appData], ['s1', 7, undefined]);
  const ownProducers = [{ producerId: 'made', mid: '0' }];
  second.answer(request, { ...resumed, snapshot: { ...snapshot, ownProducers } });
  assert.equal(await resuming, true);
  assert.deepEqual(await produce, { producerId: 'made' }, 'what the daemon had done is answered from the snapshot');
  second.answer(await second.request('pauseProducer'));
  second.answer(await second.request('closeProducer'));
  await Promise.all([before, meanwhile]);
  assert.deepEqual(
    second.requests.map(({ method }) => method),
    ['joinRoom', 'pauseProducer', 'closeProducer'],
  );
});

for (const [what, answer] of [
  ['answers 401', (socket, request) => socket.refuse(request, 401)],
  ['has closed the room', (socket, request) => socket.refuse(request, 409, 'ROOM_CLOSED: the room has just closed')],
  ['joins the peer anew', (socket, request) => socket.answer(request, joined)],
] satisfies [string, (socket: ScriptedDaemon['sockets'][0], request: { id: number } & never) => void][]) {
  test(`a session that the daemon has no more (it ${what}) is over, and nothing is left open`, async (t) => {
    const { daemon, first, signaling, isLost } = await inRoom(t);
    first.reset();
    await isLost();
    const asked = signaling.request('getStats', { producerId: 'p' });
    const resuming = signaling.resume();
    const second = await daemon.socket(1);
    answer(second, (await second.request('joinRoom')) as never);
    await assert.rejects(asked, { code: 'CONNECTION_LOST' });
    assert.equal(await resuming, false);
    assert.equal(signaling.isOver, true);
    await daemon.until('the socket to be closed', () => second.closeCode !== undefined);
  });
}

test('a resume that is refused for now may be tried again, and no close frame says meanwhile that the peer leaves', async (t) => {
  const { daemon, first, signaling, isLost } = await inRoom(t);
  signaling.probe(20);
  await first.request('ping');
  await isLost();
  const failing = signaling.resume();
  const second = await daemon.socket(1);
  second.refuse(await second.request('joinRoom'), 408, 'no joinRoom came in time');
  await assert.rejects(failing, { code: 'UNAVAILABLE', status: 408 });
  await settle();
  assert.deepEqual([first.closeCode, second.closeCode], [undefined, undefined]);
  const resuming = signaling.resume();
  const third = await daemon.socket(2);
  third.answer(await third.request('joinRoom'), resumed);
  assert.equal(await resuming, true);
  await daemon.until('the others to be closed', () => first.closeCode !== undefined && second.closeCode !== undefined);
  assert.equal(third.closeCode, undefined);
});

test('attempts to resume that overlap wait for one socket', async (t) => {
  const { daemon, first, signaling, isLost } = await inRoom(t);
  let applied = 0;
  signaling.on('resumed', () => applied++);
  first.reset();
  await isLost();
  const attempts = [signaling.resume(), signaling.resume()];
  const second = await daemon.socket(1);
  const request = await second.request('joinRoom');
  attempts.push(signaling.resume());
  second.answer(request, resumed);
  assert.deepEqual(await Promise.all(attempts), [true, true, true]);
  assert.deepEqual([daemon.sockets.length, applied], [2, 1]);
  await assert.rejects(signaling.resume(), { code: 'INTERNAL' }, 'nothing is to be resumed');
});

test('a daemon that leaves a ping unanswered has gone silent; one that refuses it lives', async (t) => {
  const { first, signaling, told, isLost } = await inRoom(t);
  signaling.probe(10_000);
  first.refuse(await first.request('ping'), 429);
  await settle();
  assert.deepEqual(told, []);
  signaling.probe(50);
  await isLost();
  assert.deepEqual(told, [['lost', 'CONNECTION_LOST', true]]);
  assert.equal(signaling.isOver, false);
  first.notify('message', { from: 'backend' });
  await settle();
  assert.equal(told.length, 1, 'what a socket says that was given up is not heard');
});

test('a suspected daemon has as long as a few of its answers took', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let [now, asked, silent] = [0, 0, 0];
  t.mock.method(performance, 'now', () => now);
  const pass = async (ms: number) => {
    await Promise.resolve();
    for (let step = 0; step < ms; step += 10) {
      now += 10;
      t.mock.timers.tick(10);
      await Promise.resolve();
    }
  };
  let answer = () => {};
  const ping = () =>
    new Promise<void>((resolve) => {
      asked++;
      answer = resolve;
    });
  for (const [answerMs, timeoutMs] of [
    [10, 400],
    [150, 600],
    [3_000, 900],
  ] as const) {
    const heartbeat = new Heartbeat(ping, () => silent++, answerMs);
    const suspect = async (what: string) => {
      [asked, silent] = [0, 0];
      heartbeat.suspect();
      await pass(timeoutMs - 10);
      assert.deepEqual([asked, silent], [1, 0], `${what} was answered after ${answerMs} ms`);
      await pass(10);
      assert.equal(silent, 1, `${what} was answered after ${answerMs} ms`);
    };
    await suspect('joinRoom');
    heartbeat.probe(5_000);
    await pass(answerMs);
    answer();
    await pass(0);
    await suspect('a ping');
    heartbeat.stop();
  }
});

test('a page that was too busy to read an answer in time does not take the daemon for silent', async (t) => {
  const { first, signaling, told } = await inRoom(t);
  signaling.probe(400);
  const ping = await first.request('ping');
  // Node looks at timers after this and reads sockets after those: the answer is found when the time is up.
  await new Promise<void>((resolve) =>
    setImmediate(() => {
      first.answer(ping);
      const until = performance.now() + 1_000;
      while (performance.now() < until);
      resolve();
    }),
  );
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.deepEqual(told, []);
});
