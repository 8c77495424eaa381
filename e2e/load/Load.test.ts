import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDaemon } from '@mediasoup-server/media-daemon/testing/testDaemon';
import { nextTick } from '../testing/stack.ts';
import { Load } from './Load.ts';
import { readRecording } from './recording.ts';
import { summarize } from './summary.ts';

test('a load of rooms, publishers and subscribers flows, and is counted', async (t) => {
  const { url } = await testDaemon(t);
  let joined = 0;
  const load = new Load({
    target: { url },
    rooms: 2,
    publishers: 2,
    subscribers: 2,
    audio: true,
    fps: 30,
    joinsPerSecond: 1000,
    recording: await readRecording(),
    joined: () => joined++,
  });
  t.after(() => load.close());
  await load.open();
  await load.grow(1);
  assert.equal(joined, 10);
  const isEnough = () => load.reports.every(({ received }) => received > 100);
  while (!isEnough()) await nextTick();
  assert.equal(load.cutOff, 0);
  const { subscribers, streams, silent, lost, duplicates, outOfOrder } = summarize(load.reports, [], 1);
  assert.deepEqual(
    { subscribers, streams, silent, lost, duplicates, outOfOrder },
    { subscribers: 6, streams: 24, silent: 0, lost: 0, duplicates: 0, outOfOrder: 0 },
  );
});
