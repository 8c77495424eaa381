import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { RoomError } from '../errors.ts';
import { IceWatch } from './IceWatch.ts';

/** A watch whose clock stands still, and what it did; `helps` says whether a restart finds it connected. */
function watched(t: TestContext, { helps = false } = {}) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const did: string[] = [];
  const watch: IceWatch = new IceWatch({
    restart: async () => {
      did.push('restart');
      return helps;
    },
    flowChanged: () => did.push(watch.flowing ? 'flows' : 'stops'),
    failed: (error: RoomError) => did.push(error.code),
  });
  /** Lets so much time pass, and what waits for no time be done. */
  const pass = async (ms: number) => {
    t.mock.timers.tick(ms);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { watch, did, pass };
}

test('`IceWatch` leaves a short disconnection alone', async (t) => {
  const { watch, did, pass } = watched(t);
  watch.changed('connected');
  watch.changed('disconnected');
  watch.changed('connected');
  await pass(60_000);
  assert.deepEqual(did, ['stops', 'flows']);
});

test('`IceWatch` restarts ICE after a longer one, until it is connected', async (t) => {
  const { watch, did, pass } = watched(t);
  watch.changed('connected');
  watch.changed('disconnected');
  await pass(1_000);
  await pass(4_000);
  watch.changed('connected');
  await pass(60_000);
  assert.deepEqual(did, ['stops', 'restart', 'restart', 'flows']);
});

test('`IceWatch` gives up after three restarts', async (t) => {
  const { watch, did, pass } = watched(t);
  watch.changed('connected');
  watch.changed('failed');
  for (let time = 0; time < 5; time++) await pass(4_000);
  assert.deepEqual(did, ['stops', 'restart', 'restart', 'restart', 'TRANSPORT_FAILED']);
});

test('`IceWatch` takes a restart that never interrupted the connection for a success', async (t) => {
  const { watch, did, pass } = watched(t, { helps: true });
  watch.changed('connected');
  watch.restart();
  await pass(60_000);
  assert.deepEqual(did, ['stops', 'restart', 'flows']);
});

test('`IceWatch` does nothing where there was no media yet, nor after its end', async (t) => {
  const { watch, did, pass } = watched(t);
  watch.restart();
  watch.changed('connected');
  watch.close();
  watch.changed('failed');
  watch.restart();
  await pass(60_000);
  assert.deepEqual(did, []);
});
