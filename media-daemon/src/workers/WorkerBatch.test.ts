import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createWorker, type types } from 'mediasoup';
import { PacketPath } from '../testing/PacketPath.ts';
import { testDaemon } from '../testing/testDaemon.ts';
import { parseCounters, WorkerBatch } from './WorkerBatch.ts';

const PACKETS = 50;
const NOT_OURS = 'this mediasoup-worker is not of tools/worker-build';

/** As a worker lays it out, little-endian. */
function memory(magic: string, ...words: readonly (number | bigint)[]): Buffer {
  const bytes = Buffer.alloc(8 + 8 * words.length);
  bytes.write(magic, 'latin1');
  for (const [index, word] of words.entries()) bytes.writeBigUInt64LE(BigInt(word), 8 + 8 * index);
  return bytes;
}

test('the counters of a worker are read, and anything but their layout is not', () => {
  assert.deepEqual(parseCounters(memory('MSBATCH1', 2, 9, 3, 1, 2, 4, 5)), {
    state: 'segmented',
    datagrams: 9,
    messages: 3,
    refusedMessages: 1,
    refusedDatagrams: 2,
    droppedDatagrams: 4,
    refusedSegmentation: 5,
  });
  assert.equal(parseCounters(memory('MSBATCH2', 2, 9, 3, 1, 2, 4, 5)), undefined);
  assert.equal(parseCounters(memory('MSBATCH1', 3, 9, 3, 1, 2, 4, 5)), undefined, 'an unknown state');
  assert.equal(parseCounters(memory('MSBATCH1', 2, 9, 3, 1, 2, 4)), undefined, 'too short');
  assert.equal(parseCounters(memory('MSBATCH1', 2, 2n ** 53n, 3, 1, 2, 4, 5)), undefined, 'no safe integer');
});

/** A worker that has forwarded packets. */
async function forward(t: TestContext, rtcBatch: 'on' | 'off'): Promise<types.Worker> {
  const path = await PacketPath.open(t, rtcBatch);
  path.send(PACKETS, 100);
  await t.waitFor(() => assert.equal(path.received, PACKETS), { interval: 20, timeout: 60_000 });
  return path.worker;
}

test('a worker reports what it sent in batches, and sends each packet on its own when batches are off', async (t) => {
  const { pid } = await forward(t, 'on');
  const batch = WorkerBatch.find(pid);
  if (!batch) {
    t.skip(NOT_OURS);
    return;
  }
  t.after(() => batch.close());
  const counters = batch.read();
  assert.notEqual(counters?.state, 'off');
  assert.ok(counters && counters.datagrams >= PACKETS, `${counters?.datagrams} datagrams`);
  assert.ok(counters.messages > 0 && counters.messages <= counters.datagrams, `${counters.messages} messages`);
  assert.deepEqual([counters.refusedMessages, counters.droppedDatagrams], [0, 0]);

  const single = WorkerBatch.find((await forward(t, 'off')).pid);
  t.after(() => single?.close());
  const { state, datagrams } = single?.read() ?? {};
  assert.deepEqual([state, datagrams], ['off', 0]);
});

test('a daemon reports how many of its workers send in batches', async (t) => {
  const count = async (environment: Record<string, string>) => {
    const { metricsPort } = await testDaemon(t, { MEDIA_DAEMON_WORKERS: '2', ...environment });
    const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
    return /^media_daemon_workers_batching (\d+)$/m.exec(metrics)?.[1];
  };
  assert.equal(await count({ MEDIA_DAEMON_RTC_BATCH: 'off' }), '0');
  const worker = await createWorker({ logLevel: 'none' });
  t.after(() => worker.close());
  const ours = WorkerBatch.find(worker.pid);
  ours?.close();
  assert.equal(await count({}), ours ? '2' : '0');
});
