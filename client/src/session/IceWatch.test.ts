import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { RoomError } from '../errors.ts';
import { IceWatch } from './IceWatch.ts';

/** A watch with a mocked clock, and what it did. `helps`: whether a restart finds the transport connected. */
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
  /** Lets time pass, and runs what waits for no timer. */
  const pass = async (ms: number) => {
    t.mock.timers.tick(ms);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { watch, did, pass };
}

test('`IceWatch` does not restart after a short disconnection', async (t) => {
  const { watch, did, pass } = watched(t);
  watch.changed('connected');
  watch.changed('disconnected');
  watch.changed('connected');
  await pass(60_000);
  assert.deepEqual(did, ['stops', 'flows']);
});

test('`IceWatch` restarts after a longer disconnection until the transport is connected', async (t) => {
  const { watch, did, pass } = watched(t);
  watch.changed('connected');
  watch.changed('disconnected');
  await pass(1_000);
  await pass(4_000);
  watch.changed('connected');
  await pass(60_000);
  assert.deepEqual(did, ['stops', 'restart', 'restart', 'flows']);
});

test('`IceWatch` restarts a transport that does not connect, and gives up', async (t) => {
  const { watch, did, pass } = watched(t);
  watch.changed('connecting');
  watch.changed('connecting');
  await pass(9_999);
  assert.deepEqual(did, []);
  assert.ok(watch.flowing);
  for (let time = 0; time < 5; time++) await pass(4_000);
  assert.deepEqual(did, ['stops', 'restart', 'restart', 'restart', 'TRANSPORT_FAILED']);
});

test('`IceWatch` does not restart a transport that connects in time', async (t) => {
  const { watch, did, pass } = watched(t);
  watch.changed('connecting');
  await pass(9_000);
  watch.changed('connected');
  await pass(60_000);
  assert.deepEqual(did, []);
});

test('`IceWatch` gives up after three restarts', async (t) => {
  const { watch, did, pass } = watched(t);
  watch.changed('connected');
  watch.changed('failed');
  for (let time = 0; time < 5; time++) await pass(4_000);
  assert.deepEqual(did, ['stops', 'restart', 'restart', 'restart', 'TRANSPORT_FAILED']);
});

test('`IceWatch` counts a restart that did not interrupt the connection as a success', async (t) => {
  const { watch, did, pass } = watched(t, { helps: true });
  watch.changed('connected');
  watch.restart();
  await pass(60_000);
  assert.deepEqual(did, ['stops', 'restart', 'flows']);
});

test('`IceWatch` does nothing before the first connection and after `close`', async (t) => {
  const { watch, did, pass } = watched(t);
  watch.restart();
  watch.changed('connected');
  watch.close();
  watch.changed('failed');
  watch.restart();
  await pass(60_000);
  assert.deepEqual(did, []);
});
