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

test('media that is lost for good leads to another session at the same daemon, not to a refusal', async (t) => {
  const { service, recovery } = await joined(t);
  service.sessions[0]?.loseMedia();
  await service.pass(5_000);
  assert.equal(recovery.state.status, 'connected');
  assert.equal(service.inRoom.length, 1);
  recovery.leave();
  assert.equal(service.inRoom.length, 0);
});

test('a removal while another session is being opened leaves no session behind', async (t) => {
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

test('a resume that the daemon answers with 408 is tried again', async (t) => {
  const { service, recovery } = await joined(t);
  service.resumeFailure = new RoomError('UNAVAILABLE', 'no joinRoom came in time', { status: 408 });
  service.sessions[0]?.loseSocket();
  await service.pass(3_000);
  assert.equal(recovery.state.status, 'resuming');
  assert.deepEqual(
    service.suspects.filter((suspect) => suspect !== undefined),
    [],
    'a slow answer is no sign of a dead daemon',
  );
  service.resumeFailure = undefined;
  await service.pass(10_000);
  assert.equal(recovery.state.status, 'connected');
  assert.equal(service.sessions.length, 1);
});

test('a client whose network was away for any time is back within 2.2 s', async (t) => {
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

test('a daemon that went silent is left as soon as the control plane names another one', async (t) => {
  const { service, recovery } = await joined(t);
  service.kill('daemon-a');
  service.sessions[0]?.loseSocket(true);
  await service.pass(500);
  assert.equal(recovery.state.status, 'connected');
  assert.equal(recovery.session?.daemonId, 'daemon-a+');
  await service.pass(15_000);
  assert.equal(service.inRoom.length, 1);
});

test('a daemon that went silent and is back resumes, and the place found meanwhile is given up', async (t) => {
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

/** A generator of numbers in [0, 1) that a seed repeats (mulberry32). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

test('after any history of losses there is one session, connected, and no ghost', async (t) => {
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
