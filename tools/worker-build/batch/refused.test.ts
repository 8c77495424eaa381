import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

const script = join(import.meta.dirname, 'test/refusedSegments.ts');
/** Of the loopback of a network namespace: less than the packets have. */
const MTU = 1000;

test('a worker whose segments are refused delivers every packet, and says so once', (t) => {
  const inside = `ip link set lo up mtu ${MTU} && exec "$0" "$1"`;
  const args = ['--net', '--user', '--map-root-user', 'sh', '-c'];
  const { status: possible, stderr: why } = spawnSync('unshare', [...args, `ip link set lo up mtu ${MTU}`]);
  if (possible !== 0) {
    t.skip(`no network namespace: ${why}`);
    return;
  }
  const run = spawnSync('unshare', [...args, inside, process.execPath, script], { encoding: 'utf8' });
  assert.equal(run.status, 0, run.stderr);
  const { sent, received, counters, lines } = JSON.parse(run.stdout);
  if (!counters) {
    t.skip('this mediasoup-worker is not of tools/worker-build');
    return;
  }
  assert.equal(received, sent, String(lines));
  assert.ok(counters.refusedSegmentation > 0, 'the kernel refused a segment');
  const { refusedMessages, droppedDatagrams } = counters;
  assert.deepEqual([refusedMessages, droppedDatagrams], [0, 0]);
  assert.deepEqual(
    lines.map((line: string) => /UDP segmentation is refused/.test(line)),
    [true],
    String(lines),
  );
});
