import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@mediasoup-server/server-kit/logger';
import { assignPeer } from '../../control-plane/src/assignment/assignPeer.ts';
import { readConfig } from '../../control-plane/src/config.ts';
import { noLoad } from '../../control-plane/src/directory/Daemon.ts';
import { DaemonTable } from '../../control-plane/src/directory/DaemonTable.ts';
import { FleetCache } from '../../control-plane/src/directory/FleetCache.ts';
import { RoomTable } from '../../control-plane/src/directory/RoomTable.ts';
import { createMetrics } from '../../control-plane/src/metrics.ts';
import { startEmbeddedDynamo } from '../../control-plane/src/store/embeddedDynamo.ts';
import { openStore } from '../../control-plane/src/store/openStore.ts';
import { daemonRow } from '../../control-plane/src/testing/daemonRow.ts';
import { MemoryStore } from '../../control-plane/src/testing/MemoryStore.ts';
import { AssignmentKeys } from '../../control-plane/src/tokens/AssignmentKeys.ts';

/**
 * The cost of an assignment: its CPU time over that of its signature, with a store that answers at once; its table
 * operations; and its time with the embedded store. `node tools/bench/assignment.bench.ts [assignments]`
 */

const [count = 5000] = process.argv.slice(2).map(Number);
const grants = { publish: true, subscribe: true, data: true, admin: false };
const logger = createLogger('bench', 'silent');
const folder = await mkdtemp(join(tmpdir(), 'assignment-bench-'));
const keys = await AssignmentKeys.load({ dataDir: folder });

async function directoryOf(client: MemoryStore['client']) {
  const metrics = createMetrics();
  const parts = { client, metrics, logger };
  const prefix = 'bench-';
  const daemons = new DaemonTable(parts, prefix);
  const row = daemonRow('daemon', { headroom: 1_000_000_000 });
  await daemons.register(row, undefined);
  const beating = setInterval(() => {
    const report = { state: 'ready' as const, load: noLoad, headroom: 1_000_000_000, assigned: 0 };
    void daemons.heartbeat({ ...row }, report);
  }, 2000);
  const commands = {
    createRoom: async () => ({ rtpCapabilities: '{}' }),
    moveRoom: async () => {},
    probe: async () => true,
  };
  const directory = {
    rooms: new RoomTable(parts, prefix),
    daemons,
    fleet: new FleetCache(daemons),
    client: commands,
    suspectAfterMs: 6000,
    ice: { iceServers: [] },
    metrics,
    logger,
  };
  return { directory, metrics, stop: () => clearInterval(beating) };
}

/** Microseconds of CPU time an assignment. */
async function cpuOf(work: (round: number) => Promise<unknown>): Promise<number> {
  for (let round = 0; round < count / 10; round++) await work(round);
  const before = process.cpuUsage();
  for (let round = 0; round < count; round++) await work(round);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / count;
}

const print = (text: string) => process.stdout.write(`${text}\n`);
const memory = await directoryOf(new MemoryStore().client);
const peerId = 'peer';
await assignPeer({ roomId: 'known', peerId, grants }, memory.directory, keys);
const claims = { roomId: 'known', peerId, daemonId: 'daemon', incarnation: 'daemon', epoch: 1, grants };
const signing = await cpuOf(() => keys.sign(claims));
const known = await cpuOf(() => assignPeer({ roomId: 'known', peerId, grants }, memory.directory, keys));
const fresh = await cpuOf((round) =>
  assignPeer({ roomId: `${performance.now()} ${round}`, peerId, grants }, memory.directory, keys),
);
memory.stop();
print(`a signature                 ${signing.toFixed(0)} us of CPU`);
for (const [what, cpu] of [
  ['room known', known],
  ['room new', fresh],
] as const) {
  const perSecond = Math.round(1_000_000 / cpu);
  print(
    `assignment, ${what.padEnd(15)} ${cpu.toFixed(0)} us = ${(cpu / signing).toFixed(2)} x a signature, ${perSecond} a second a core`,
  );
}

process.env.AWS_ACCESS_KEY_ID ??= 'bench';
const dynamo = await startEmbeddedDynamo(folder, process.env.AWS_ACCESS_KEY_ID);
process.env.AWS_SECRET_ACCESS_KEY ??= 'bench';
const config = readConfig({ CONTROL_PLANE_DAEMON_KEY: 'a key of the benchmark', CONTROL_PLANE_STORE: 'dynamodb' });
const store = await openStore({ ...config.store, dynamodbEndpoint: dynamo.endpoint, tablePrefix: 'bench-' }, logger);
await store.createTables();
const embedded = await directoryOf(store.client);
await assignPeer({ roomId: 'known', peerId, grants }, embedded.directory, keys);
const operationsOf = async () => {
  const { values } = await embedded.metrics.tableOperations.get();
  return new Map(values.map(({ labels, value }) => [`${labels.table} ${labels.operation}`, value]));
};
for (const [what, roomId] of [
  ['room known', () => 'known'],
  ['room new', (round: number) => `new ${round}`],
] as const) {
  const rounds = Math.ceil(count / 5);
  const before = await operationsOf();
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const since = performance.now();
    await assignPeer({ roomId: roomId(round), peerId, grants }, embedded.directory, keys);
    times.push(performance.now() - since);
  }
  times.sort((a, b) => a - b);
  const at = (share: number) => (times[Math.floor((rounds - 1) * share)] ?? 0).toFixed(2);
  const used = [...(await operationsOf())]
    .map(([name, total]) => `${name} ${((total - (before.get(name) ?? 0)) / rounds).toFixed(2)}`)
    .filter((text) => !text.endsWith(' 0.00'));
  print(`embedded store, ${what.padEnd(11)} p50 ${at(0.5)} ms, p99 ${at(0.99)} ms; a time: ${used.join(', ')}`);
}
embedded.stop();
await store.close();
await dynamo.close();
await rm(folder, { recursive: true });
print(
  `heartbeats                  ${3_600_000 / config.fleet.heartbeatIntervalMs} writes of the table a daemon an hour`,
);
