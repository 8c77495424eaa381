import { setLogEventListeners } from 'mediasoup';
import { PacketPath } from '../../../../media-daemon/src/testing/PacketPath.ts';
import { WorkerBatch } from '../../../../media-daemon/src/workers/WorkerBatch.ts';

/**
 * Forwards packets where a segment is longer than the loopback's MTU, until the kernel has refused one, and more after
 * that. Prints what came of it.
 */

const [BURST, PAYLOAD_BYTES, DEADLINE_MS] = [20, 1200, 60_000];
const lines: string[] = [];
setLogEventListeners({ onerror: (_, message) => lines.push(message) });
const path = await PacketPath.open({ after: () => {} }, 'on');
const batch = WorkerBatch.find(path.worker.pid);
const until = performance.now() + DEADLINE_MS;
let more = 3;
// A burst that the worker reads packet by packet has nothing to refuse.
while (batch && more > 0 && performance.now() < until) {
  path.send(BURST, PAYLOAD_BYTES);
  while (path.received < path.sent && performance.now() < until)
    await new Promise((resolve) => setTimeout(resolve, 10));
  if (batch.read()?.refusedSegmentation) more--;
}
const { sent, received } = path;
process.stdout.write(`${JSON.stringify({ sent, received, counters: batch?.read(), lines })}\n`);
process.exit();
