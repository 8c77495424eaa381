import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { runDaemon } from '../../e2e/support/stack.ts';
import { Load } from '../load/Load.ts';
import { cpuSeconds } from '../load/processCpu.ts';
import { readRecording } from '../load/recording.ts';
import { summarize } from '../load/summary.ts';

/**
 * The cost of forwarding: CPU time a gigabit of the daemon, its workers and its own process, over that of bare mediasoup; and
 * the packets that workers deliver a CPU second when a room is on two of them, over one. All servers carry the same load at
 * the same time. The CPU time includes the daemon's statistics, observers and metrics. With `silent` nobody speaks; otherwise
 * the daemon sends audio levels to all peers, which bare mediasoup does not. With `alone` the daemon of two workers is left
 * out, for machines that cannot run three servers.
 * `node tools/bench/forwarding.bench.ts [subscribers] [seconds of a round] [rounds] [publishers] [silent] [alone]`
 */

const [speaks, alone] = [!process.argv.includes('silent'), process.argv.includes('alone')];
const numbers = process.argv.slice(2).filter((word) => /^\d+$/.test(word));
const [subscribers = 30, seconds = 6, rounds = 7, publishers = 1] = numbers.map(Number);
/** Warm-up before the first round, s: V8 has compiled by then what a daemon does only now and then. */
const WARM_UP_SECONDS = 60;
const closers: (() => unknown)[] = [];

async function startBare() {
  const bare = fileURLToPath(new URL('../load/bareMediasoup.ts', import.meta.url));
  const child = spawn(process.execPath, [bare], { stdio: ['ignore', 'pipe', 'inherit'] });
  // mediasoup handles SIGINT and SIGTERM without ending Node.
  process.once('exit', () => child.kill('SIGKILL'));
  const [line] = await new Promise<string[]>((resolve) =>
    createInterface(child.stdout).once('line', (l) => resolve([l])),
  );
  return { url: String(JSON.parse(line ?? '').url), pid: Number(child.pid) };
}

async function startOurs(environment: Record<string, string>) {
  const { ready, process: child } = await runDaemon({ after: (end) => closers.push(end) }, environment);
  return { url: String(ready.url), pid: Number(child.pid) };
}

const recording = await readRecording();
type Name = 'bare' | 'one' | 'two';
const servers = new Map<Name, { url: string; pid: number }>();
servers.set('bare', await startBare());
servers.set('one', await startOurs({ MEDIA_DAEMON_WORKERS: '1' }));
if (!alone) servers.set('two', await startOurs({ MEDIA_DAEMON_WORKERS: '2', MEDIA_DAEMON_SATURATED_CONSUMERS: '0' }));
const names = [...servers.keys()];
const loads = new Map<Name, Load>();
for (const [name, { url }] of servers) {
  const peers = { rooms: 1, publishers, subscribers, joinsPerSecond: 40, joined: () => {} };
  const load = new Load({
    target: { url },
    recording,
    audio: true,
    silent: !speaks,
    fps: 30,
    ...peers,
  });
  loads.set(name, load);
  await load.open();
}

/** The packets that each server has delivered, and the CPU time it has used. */
async function look([name, { pid }]: [Name, { pid: number }]) {
  const cpu = await cpuSeconds(pid);
  const node = cpu.get(pid) ?? 0;
  const workers = [...cpu].filter(([id]) => id !== pid).map(([, used]) => used);
  const reports = loads.get(name)?.reports ?? [];
  const bytes = reports.reduce((sum, report) => sum + report.bytes, 0);
  const packets = reports.reduce((sum, report) => sum + report.received, 0);
  return { node, workers, bytes, packets };
}

type Round = { perGigabit: number; withNode: number; packetsPerCpu: number; workers: number[] };
const measured = new Map<Name, Round[]>(names.map((name) => [name, []]));
await new Promise((resolve) => setTimeout(resolve, WARM_UP_SECONDS * 1000));
for (let round = 0; round < rounds; round++) {
  const before = await Promise.all([...servers].map(look));
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const after = await Promise.all([...servers].map(look));
  for (const [index, name] of names.entries()) {
    const [from, to] = [before[index], after[index]];
    if (!from || !to) continue;
    const workers = to.workers.map((used, worker) => used - (from.workers[worker] ?? 0));
    const used = workers.reduce((sum, cpu) => sum + cpu, 0);
    const gigabits = ((to.bytes - from.bytes) * 8) / 1e9;
    measured.get(name)?.push({
      perGigabit: used / gigabits,
      withNode: (used + to.node - from.node) / gigabits,
      packetsPerCpu: (to.packets - from.packets) / used,
      workers: workers.map((cpu) => cpu / seconds),
    });
  }
}

const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1] ?? 0;
const of = (name: Name, value: (round: Round) => number) => (measured.get(name) ?? []).map(value);
/** Compared round by round, since both were measured at the same time. */
const ratio = (name: Name, over: Name, value: (round: Round) => number) => {
  const [above, below] = [of(name, value), of(over, value)];
  return median(above.map((measure, round) => measure / (below[round] ?? 1)));
};
const print = (line: string) => process.stdout.write(`${line}\n`);
print(
  `${publishers} publishers, ${subscribers} subscribers, VP8 and ${speaks ? 'Opus' : 'silent Opus'}, ${rounds} rounds of ${seconds} s; medians`,
);
for (const name of names) {
  const { lost, silent, packetsPerSecond } = summarize(
    loads.get(name)?.reports ?? [],
    [],
    WARM_UP_SECONDS + rounds * seconds,
  );
  const shares = [0, 1].map((worker) => median(of(name, ({ workers }) => workers[worker] ?? 0)).toFixed(3));
  print(
    `${name.padEnd(4)}: ${median(of(name, ({ perGigabit }) => perGigabit)).toFixed(2)} CPU s a gigabit in workers, ` +
      `${median(of(name, ({ withNode }) => withNode)).toFixed(2)} with Node; cores a worker ${shares.join(' ')}; ` +
      `about ${packetsPerSecond.toFixed(0)} packets/s, ${lost} lost, ${silent} silent`,
  );
}
print(
  `CPU a gigabit, ours over bare mediasoup: workers x${ratio('one', 'bare', ({ perGigabit }) => perGigabit).toFixed(3)}, with Node x${ratio('one', 'bare', ({ withNode }) => withNode).toFixed(3)}`,
);
if (!alone)
  print(
    `packets a CPU second of workers, two over one: x${ratio('two', 'one', ({ packetsPerCpu }) => packetsPerCpu).toFixed(3)}`,
  );

for (const load of loads.values()) load.close();
for (const close of closers) await close();
process.exit();
