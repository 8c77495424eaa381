import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { RoomError } from '../errors.ts';
import { ScriptedService } from '../testing/ScriptedService.ts';
import { Recovery } from './Recovery.ts';

async function joined(t: TestContext) {
  const service = new ScriptedService(t);
  const recovery = new Recovery(service);
  recovery.on('attached', (_, former) => former?.session.close());
  t.after(() => recovery.leave());
  await service.until(recovery.join());
  return { service, recovery };
}

test('media that is lost for good is replaced by another session at the same daemon', async (t) => {
  const { service, recovery } = await joined(t);
  service.sessions[0]?.loseMedia();
  await service.pass(5_000);
  assert.equal(recovery.state.status, 'connected');
  assert.equal(service.inRoom.length, 1);
  recovery.leave();
  assert.equal(service.inRoom.length, 0);
});

test('a peer that is kicked while it opens another session leaves no session behind', async (t) => {
  const { service, recovery } = await joined(t);
  service.move('daemon-b');
  service.sessions[0]?.loseMedia();
  service.openMs = 500;
  await service.pass(200);
  service.sessions[0]?.refuse();
  await service.pass(5_000);
  assert.equal(recovery.state.status, 'closed');
  assert.equal(service.inRoom.length, 0);
});

test('a resume that the daemon answers with 408 is retried', async (t) => {
  const { service, recovery } = await joined(t);
  service.resumeFailure = new RoomError('UNAVAILABLE', 'no joinRoom came in time', { status: 408 });
  service.sessions[0]?.loseSocket();
  await service.pass(3_000);
  assert.equal(recovery.state.status, 'resuming');
  assert.deepEqual(
    service.suspects.filter((suspect) => suspect !== undefined),
    [],
    'a daemon that answers slowly is not suspected',
  );
  service.resumeFailure = undefined;
  await service.pass(10_000);
  assert.equal(recovery.state.status, 'connected');
  assert.equal(service.sessions.length, 1);
});

test('a client recovers within 2.2 s of its network, however long that was away', async (t) => {
  for (const seconds of [8, 20, 60, 600]) {
    const { service, recovery } = await joined(t);
    service.online = false;
    service.sessions[0]?.loseSocket(true);
    await service.pass(seconds * 1_000);
    assert.notEqual(recovery.state.status, 'closed');
    service.online = true;
    await service.pass(2_200);
    assert.equal(recovery.state.status, 'connected', `after ${seconds} s`);
    assert.equal(service.inRoom.length, 1);
    recovery.leave();
    t.mock.timers.reset();
  }
});

test('a silent daemon is replaced as soon as the control plane assigns another one', async (t) => {
  const { service, recovery } = await joined(t);
  service.kill('daemon-a');
  service.sessions[0]?.loseSocket(true);
  await service.pass(500);
  assert.equal(recovery.state.status, 'connected');
  assert.equal(recovery.session?.daemonId, 'daemon-a+');
  await service.pass(15_000);
  assert.equal(service.inRoom.length, 1);
});

test('a silent daemon that answers again resumes the session, and the session that was being opened is closed', async (t) => {
  const { service, recovery } = await joined(t);
  service.move('daemon-b');
  service.openMs = 300;
  service.sessions[0]?.loseSocket(true);
  await service.pass(5_000);
  assert.equal(recovery.session?.daemonId, 'daemon-a');
  assert.deepEqual(
    service.inRoom.map(({ daemonId }) => daemonId),
    ['daemon-a'],
  );
});

test('a drained daemon serves until the peer has another session, and the state is `moving`', async (t) => {
  const { service, recovery } = await joined(t);
  const states: string[] = [];
  recovery.on('stateChanged', ({ status }) => states.push(status));
  const formers: unknown[] = [];
  recovery.on('attached', (_, former) => formers.push(former?.serves));
  service.move('daemon-b');
  service.sessions[0]?.requestMove();
  await service.pass(3_000);
  assert.deepEqual(states, ['moving', 'connected']);
  assert.deepEqual(formers, [true]);
  assert.equal(recovery.session?.daemonId, 'daemon-b');
});

test('a session that is resumed at a drained daemon still moves', async (t) => {
  const { service, recovery } = await joined(t);
  service.sessions[0]?.requestMove();
  await service.pass(1_000);
  assert.equal(recovery.state.status, 'moving', 'no other daemon is assigned yet');
  service.sessions[0]?.loseSocket();
  await service.pass(2_000);
  assert.equal(recovery.state.status, 'moving');
  assert.equal(recovery.session?.daemonId, 'daemon-a');
  service.move('daemon-b');
  await service.pass(10_000);
  assert.equal(recovery.state.status, 'connected');
  assert.equal(recovery.session?.daemonId, 'daemon-b');
});

test('an attempt that another attempt of the same peer replaces while it opens does not end the search', async (t) => {
  const { service, recovery } = await joined(t);
  service.kill('daemon-a');
  service.setupMs = 1_200;
  // The second attempt starts 1 s after the first, the third 1.9 s later.
  const chances = [0, 0];
  t.mock.method(Math, 'random', () => chances.shift() ?? 0.9);
  service.sessions[0]?.loseSocket(true);
  await service.pass(30_000);
  assert.equal(recovery.state.status, 'connected');
  assert.deepEqual(service.inRoom, [recovery.session]);
  assert.equal(service.sessions.length, 3, 'two attempts have joined');
});

test('a join that succeeds does not wait for the `Retry-After` of the attempt before', async (t) => {
  const service = new ScriptedService(t);
  service.refusals.push(new RoomError('ROOM_FULL', 'full', { status: 503, retryAfterMs: 3_000 }));
  const recovery = new Recovery(service);
  t.after(() => recovery.leave());
  await service.until(recovery.join());
  assert.ok(service.now >= 3_000 && service.now < 4_500, `joined after ${service.now} ms`);
});

test('a join that is refused for good rejects with the reason and is not retried', async (t) => {
  const service = new ScriptedService(t);
  service.refusals.push(new RoomError('REFUSED', 'not invited', { status: 403 }));
  const recovery = new Recovery(service);
  await assert.rejects(service.until(recovery.join()), { code: 'REFUSED', message: 'not invited' });
  await service.pass(10_000);
  assert.equal(recovery.state.status === 'closed' && recovery.state.reason?.message, 'not invited');
  assert.equal(service.asked.length, 1);
});

test('`leave` while a session is being opened leaves none in the room', async (t) => {
  const service = new ScriptedService(t);
  service.openMs = 500;
  const recovery = new Recovery(service);
  const joining = recovery.join();
  await service.pass(100);
  recovery.leave();
  await assert.rejects(service.until(joining), { code: 'ROOM_CLOSED' });
  await service.pass(5_000);
  assert.deepEqual(recovery.state, { status: 'closed' });
  assert.equal(service.sessions.length, 1);
  assert.equal(service.inRoom.length, 0);
});

test('a network that stalls for 2 s moves nobody, since the control plane finds the daemon alive', async (t) => {
  const { service, recovery } = await joined(t);
  const [session] = service.sessions;
  service.online = false;
  session?.loseSocket(true);
  await service.pass(2_000);
  service.online = true;
  await service.pass(15_000);
  assert.equal(recovery.state.status, 'connected');
  assert.equal(recovery.session, session);
  assert.equal(service.sessions.length, 1, 'no other session was opened');
  assert.ok(service.suspects.includes('daemon-a'), 'the control plane was asked');
});

/** A seeded generator of numbers in [0, 1) (mulberry32). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

test('after any sequence of losses the peer is connected by one session, and no other is left in the room', async (t) => {
  const seeds = Number(process.env.RUNS ?? 60);
  for (let seed = 1; seed <= seeds; seed++) {
    const next = numbers(seed);
    t.mock.method(Math, 'random', next);
    const { service, recovery } = await joined(t);
    const did: string[] = [];
    const losses: Record<string, () => void> = {
      'socket lost': () => service.sessions.at(-1)?.loseSocket(),
      'socket silent': () => service.sessions.at(-1)?.loseSocket(true),
      'media lost': () => service.sessions.at(-1)?.loseMedia(),
      'daemon killed': () => {
        const session = service.inRoom[0];
        if (!session) return;
        service.kill(session.daemonId);
        session.loseSocket(next() < 0.5);
      },
      'network away': () => {
        service.online = false;
        service.sessions.at(-1)?.loseSocket(true);
      },
      'network back': () => {
        service.online = true;
      },
      'control plane down': () => {
        service.controlPlaneUp = false;
      },
      'control plane up': () => {
        service.controlPlaneUp = true;
      },
      'room moved': () => service.move(`daemon-${Math.floor(next() * 3)}`),
      'slow daemon': () => {
        service.openMs = next() * 4_000;
      },
    };
    const names = Object.keys(losses);
    for (let step = 0; step < 12; step++) {
      const name = names[Math.floor(next() * names.length)] ?? '';
      did.push(`${service.now} ${name}`);
      losses[name]?.();
      await service.pass(Math.floor(next() * 6_000));
    }
    service.online = true;
    service.controlPlaneUp = true;
    service.openMs = 20;
    await service.pass(40_000);
    const history = `seed ${seed}: ${did.join(', ')}`;
    assert.equal(recovery.state.status, 'connected', history);
    assert.deepEqual(service.inRoom, [recovery.session], history);
    recovery.leave();
    await service.pass(100);
    assert.equal(service.inRoom.length, 0, history);
    t.mock.timers.reset();
    t.mock.restoreAll();
  }
});
