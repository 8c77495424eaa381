import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { RoomError } from '../errors.ts';
import { ScriptedService } from '../testing/ScriptedService.ts';
import { Recovery } from './Recovery.ts';

async function joined(t: TestContext) {
  const service = new ScriptedService(t);
  const recovery = new Recovery(service);
  recovery.on('placed', (_, former) => former?.session.close());
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
