import { mock } from 'node:test';
import { setImmediate as realTurn } from 'node:timers/promises';
import { createLogger } from '@mediasoup-server/server-kit/logger';
import { HttpProblem } from '@mediasoup-server/server-kit/problem';
import { assignPeer } from '../../control-plane/src/assignment/assignPeer.ts';
import { type Daemon, noLoad } from '../../control-plane/src/directory/Daemon.ts';
import { DaemonTable } from '../../control-plane/src/directory/DaemonTable.ts';
import { FleetCache } from '../../control-plane/src/directory/FleetCache.ts';
import { RoomTable } from '../../control-plane/src/directory/RoomTable.ts';
import { createMetrics } from '../../control-plane/src/metrics.ts';
import { daemonRow } from '../../control-plane/src/testing/daemonRow.ts';
import { MemoryStore } from '../../control-plane/src/testing/MemoryStore.ts';

/**
 * Simulates a fleet in one process: the real assignment code over a simulated table and clock. Peers join in bursts, a tenth
 * of the daemons dies at once, and their peers are assigned again. `node tools/simulate/fleet.simulation.ts [daemons] [peers] [seconds]`
 */

const [daemonCount = 10_000, peerCount = 1_000_000, seconds = 60] = process.argv.slice(2).map(Number);
const grants = { publish: true, subscribe: true, data: true, admin: false };
const ROOM_PEERS = 10;
/** The mean is half of this. */
const DAEMON_PEERS = Math.ceil((2 * peerCount) / daemonCount);
const HEARTBEAT_MS = 2000;
/** In a burst the joins of one second arrive within this time, ms. */
const BURST_MS = 200;
const TABLE_MS = 5;
const COMMAND_MS = 5;
const PROBE_MS = 500;
/** The longest time until a peer notices that its daemon is gone, ms. */
const NOTICE_MS = 1000;

mock.timers.enable({ apis: ['Date', 'setTimeout'], now: 1_700_000_000_000 });
const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

type SimulatedDaemon = { readonly row: Daemon; alive: boolean; peers: number; joined: number; told: number };

const store = new MemoryStore(async (operation) => {
  await wait(TABLE_MS);
  return operation();
});
const logger = createLogger('simulation', 'silent');
const metrics = createMetrics();
const daemons = new DaemonTable({ client: store.client, metrics, logger }, '');
const rooms = new RoomTable({ client: store.client, metrics, logger }, '');
const fleet = new Map<string, SimulatedDaemon>();
const directory = {
  rooms,
  daemons,
  fleet: new FleetCache(daemons),
  client: {
    createRoom: async ({ daemonId }: Pick<Daemon, 'daemonId'>) => {
      await wait(COMMAND_MS);
      if (!fleet.get(daemonId)?.alive) throw new Error('unavailable');
      return { rtpCapabilities: '{}' };
    },
    moveRoom: () => wait(COMMAND_MS),
    probe: shared(async ({ daemonId }: Pick<Daemon, 'daemonId'>) => {
      const { alive } = fleet.get(daemonId) ?? { alive: false };
      await wait(alive ? COMMAND_MS : PROBE_MS);
      return alive;
    }),
  },
  suspectAfterMs: 6000,
  ice: { iceServers: [] },
  metrics,
  logger,
};
// Signatures are left out: another benchmark measures them.
const keys = { sign: async () => ({ token: '', expiresAt: new Date() }) };

/** A probe's result is shared by all requests within a second, as in DaemonClient. */
function shared(probe: (daemon: Daemon) => Promise<boolean>) {
  const results = new Map<string, { at: number; alive: Promise<boolean> }>();
  return (daemon: Pick<Daemon, 'daemonId' | 'grpcAddress' | 'incarnation'>) => {
    const known = results.get(daemon.daemonId);
    if (known && Date.now() - known.at < 1000) return known.alive;
    const alive = probe(daemon as Daemon);
    results.set(daemon.daemonId, { at: Date.now(), alive });
    return alive;
  };
}

async function heartbeat(daemon: SimulatedDaemon): Promise<void> {
  const { row, peers, joined, told } = daemon;
  const headroom = Math.max(0, DAEMON_PEERS - peers - Math.max(0, told - joined));
  const load = { ...noLoad, peers, workerCpu: (0.7 * peers) / DAEMON_PEERS };
  const heard = await daemons.heartbeat(row, { state: 'ready', load, headroom, assigned: told });
  if (heard) daemon.told = heard.assigned;
}

let refusals = 0;
/** Requests an assignment until there is one, as a client does. Resolves to the daemon. */
async function join(roomId: string, failedDaemonId?: string): Promise<SimulatedDaemon> {
  for (;;) {
    try {
      const { daemonId } = await assignPeer({ roomId, peerId: 'peer', grants, failedDaemonId }, directory, keys);
      const daemon = fleet.get(daemonId);
      if (daemon?.alive) {
        daemon.joined++;
        daemon.peers++;
        return daemon;
      }
      await wait(1000 * Math.random());
    } catch (error) {
      if (!(error instanceof HttpProblem)) throw error;
      refusals++;
      await wait((error.retryAfter ?? 1) * 1000 * (1 + Math.random()));
    }
  }
}

/** Advances the simulated time, with heartbeats, until a condition holds. */
async function run(until: () => boolean, eachMs: (ms: number) => void = () => {}): Promise<number> {
  const all = [...fleet.values()];
  let ms = 0;
  for (; !until(); ms++) {
    for (let index = ms % HEARTBEAT_MS; index < all.length; index += HEARTBEAT_MS) {
      const daemon = all[index];
      if (daemon?.alive) void heartbeat(daemon);
    }
    eachMs(ms);
    mock.timers.tick(1);
    await realTurn();
    if (ms % 10_000 === 0 && ms > 0) process.stderr.write(`${ms / 1000} s simulated\n`);
  }
  return ms;
}

async function operations(): Promise<Record<string, number>> {
  const { values } = await metrics.tableOperations.get();
  const of = (names: readonly string[]) =>
    values.filter(({ labels }) => names.includes(String(labels.operation))).reduce((sum, { value }) => sum + value, 0);
  return { reads: of(['get']), queries: of(['query']), writes: of(['put', 'update', 'delete']) };
}

const print = (what: string, value: string) => process.stdout.write(`| ${what} | ${value} |\n`);
async function printOperations(what: string, count: number, before: Record<string, number>): Promise<void> {
  const after = await operations();
  const per = Object.entries(after).map(
    ([name, total]) => `${((total - (before[name] ?? 0)) / count).toFixed(2)} ${name}`,
  );
  print(what, per.join(', '));
}
const spread = (): string => {
  const peers = [...fleet.values()].filter(({ alive }) => alive).map((daemon) => daemon.peers);
  const mean = peers.reduce((sum, count) => sum + count, 0) / peers.length;
  return `${(Math.max(...peers) / mean).toFixed(2)} (mean ${mean.toFixed(1)}, most ${Math.max(...peers)} of ${DAEMON_PEERS})`;
};

let registered = 0;
for (let index = 0; index < daemonCount; index++) {
  const daemonId = `daemon-${index}`;
  const row = daemonRow(daemonId, { headroom: DAEMON_PEERS });
  fleet.set(daemonId, { row, alive: true, peers: 0, joined: 0, told: 0 });
  void daemons.register(row, undefined).then(() => registered++);
}
await run(() => registered === daemonCount);

process.stdout.write(
  `| ${daemonCount} daemons, ${peerCount} peers in rooms of ${ROOM_PEERS}, ${seconds} s | |\n|---|---|\n`,
);
let start = await operations();
await run(
  (
    (end) => () =>
      Date.now() >= end
  )(Date.now() + HEARTBEAT_MS),
);
await printOperations('a heartbeat', daemonCount, start);

const placed: SimulatedDaemon[] = [];
const roomOf = (peer: number) => `room-${Math.floor(peer / ROOM_PEERS)}`;
let asked = 0;
let settled = 0;
start = await operations();
const joining = await run(
  () => settled === peerCount,
  (ms) => {
    if (ms % 1000 >= BURST_MS) return;
    const until = Math.min(peerCount, asked + Math.ceil(peerCount / seconds / BURST_MS));
    for (; asked < until; asked++) {
      const peer = asked;
      void join(roomOf(peer)).then((daemon) => {
        placed[peer] = daemon;
        settled++;
      });
    }
  },
);
await printOperations('an assignment, heartbeats included', peerCount, start);
print('all placed after', `${(joining / 1000).toFixed(1)} s`);
print('refused joins', String(refusals));
print('load spread, most over mean', spread());

const dead = [...fleet.values()].filter((_, index) => index % 10 === 3);
for (const daemon of dead) daemon.alive = false;
const orphans = placed.flatMap((daemon, peer) => (daemon.alive ? [] : [peer]));
const times: number[] = [];
const diedAt = Date.now();
refusals = 0;
start = await operations();
for (const peer of orphans) {
  void wait(Math.random() * NOTICE_MS)
    .then(() => join(roomOf(peer), placed[peer]?.row.daemonId))
    .then(() => times.push(Date.now() - diedAt));
}
await run(() => times.length === orphans.length);
times.sort((a, b) => a - b);
const at = (share: number) => ((times[Math.floor((times.length - 1) * share)] ?? 0) / 1000).toFixed(2);
print('daemons that died at once', `${dead.length}, with ${orphans.length} peers`);
print('rooms moved', String(new Set(orphans.map(roomOf)).size));
print('placed again after', `${at(0.5)} s (median), ${at(0.95)} s (p95), ${at(1)} s (all)`);
print('refused joins meanwhile', String(refusals));
await printOperations('a new assignment, heartbeats included', orphans.length, start);
print('load spread, most over mean', spread());
