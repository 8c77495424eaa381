import { createLogger } from '@mediasoup-server/server-kit/logger';
import type { types } from 'mediasoup';
import { Rooms } from '../../media-daemon/src/rooms/Rooms.ts';
import { MediaMeter } from '../../media-daemon/src/telemetry/MediaMeter.ts';
import { createMetrics } from '../../media-daemon/src/telemetry/metrics.ts';
import { opusRtpParameters } from '../../media-daemon/src/testing/opus.ts';
import { limits } from '../../media-daemon/src/testing/testRooms.ts';
import { WorkerPool } from '../../media-daemon/src/workers/WorkerPool.ts';

/**
 * The cost of metering media with mediasoup's statistics: CPU time of the daemon's process and of its worker while the
 * statistics of many peers' streams are read in turn, less that while none are read.
 * `node tools/bench/MediaMeter.bench.ts [transports] [streams of each] [seconds]`
 */

const [transports = 1000, streams = 5, seconds = 10] = process.argv.slice(2).map(Number);
const ROOM_PEERS = 10;

const logger = createLogger('bench', 'warn');
const pool = await WorkerPool.create(
  {
    workers: 1,
    rtcIp: '127.0.0.1',
    rtcPort: 0,
    workerTimeoutMs: 60_000,
    saturatedCpuPercent: 100,
    saturatedConsumers: 100_000,
  },
  logger,
);
const roomLimits = { ...limits, maxRoomPeers: ROOM_PEERS, maxPeerIncomingBitrate: 1_000_000 };
const rooms = new Rooms(pool, { limits: roomLimits, unjoinedMs: 3_600_000, moveDeadlineMs: 3_600_000 }, logger);
const grants = { publish: true, subscribe: true, data: true };
const inbox = { isReady: () => true, deliver: () => {}, missed: () => {} };
let made = 0;
for (let index = 0; index < transports / 2; index++) {
  const room = await rooms.getOrCreate(`room ${Math.floor(index / ROOM_PEERS)}`);
  const peer = room.join({ peerId: `peer ${index}`, appData: {}, grants, inbox });
  await peer.transports.create('send');
  await peer.transports.create('recv');
  await peer.producers.produce({ kind: 'audio', rtpParameters: opusRtpParameters(), appData: {} });
  made++;
  const others = room.othersThan(peer).flatMap(({ producers }) => [...producers.media]);
  for (const { id: producerId } of others.slice(0, 2 * streams - 1)) {
    await peer.consumers.consume({ producerId, rtpCapabilities: room.rtpCapabilities, paused: true });
    made++;
  }
}

const worker = pool.workers[0]?.worker as types.Worker;
const cpu = async () => {
  const { user, system } = process.cpuUsage();
  const { ru_utime, ru_stime } = await worker.getResourceUsage();
  return { node: (user + system) / 1000, worker: ru_utime + ru_stime };
};
async function measure() {
  const before = await cpu();
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const after = await cpu();
  return { node: after.node - before.node, worker: after.worker - before.worker };
}

const idle = await measure();
const metrics = createMetrics();
const meter = new MediaMeter(rooms, { mediaStatsIntervalMs: 10_000, metrics, logger });
const asking = await measure();
meter.close();
const percent = (of: 'node' | 'worker') => `${((asking[of] - idle[of]) / seconds / 10).toFixed(2)} %`;
process.stdout.write(
  `${transports} transports with ${made} streams: ${percent('node')} of a core in the daemon's process, ` +
    `${percent('worker')} in the worker, for the statistics\n`,
);
pool.close();
process.exit();
