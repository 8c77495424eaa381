import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { ScriptedSession } from '../testing/ScriptedSession.ts';
import { Handover } from './Handover.ts';

function handover(t: TestContext, { serves = true } = {}) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const progress = { isDone: false, ended: 0 };
  const former = new ScriptedSession('daemon-a').session;
  const made = new Handover(
    former,
    serves,
    () => progress.isDone,
    () => progress.ended++,
  );
  return { handover: made, progress, pass: (ms: number) => t.mock.timers.tick(ms) };
}

test('`Handover` keeps the former session for a second after everything is received from the new one', (t) => {
  const { handover: moving, progress, pass } = handover(t);
  pass(5_000);
  moving.reevaluate();
  pass(1_000);
  assert.equal(progress.ended, 0, 'something is not received from the new session yet');
  progress.isDone = true;
  moving.reevaluate();
  pass(999);
  assert.equal(progress.ended, 0);
  moving.reevaluate();
  pass(1);
  assert.equal(progress.ended, 1);
});

test('`Handover` from a session without media ends as soon as everything is received from the new one', (t) => {
  const { handover: moving, progress, pass } = handover(t, { serves: false });
  progress.isDone = true;
  moving.reevaluate();
  pass(1);
  assert.equal(progress.ended, 1);
});

test('`Handover` ends after 10 s even if something is never received from the new session', (t) => {
  const { progress, pass } = handover(t);
  pass(9_999);
  assert.equal(progress.ended, 0);
  pass(1);
  assert.equal(progress.ended, 1);
});

test('`Handover` ends once', (t) => {
  const { handover: moving, progress, pass } = handover(t);
  moving.end();
  moving.end();
  progress.isDone = true;
  moving.reevaluate();
  pass(20_000);
  assert.equal(progress.ended, 1);
});
