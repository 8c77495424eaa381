import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/**
 * The seconds from `make run` to the printed URL when everything is installed, and the latency of the control plane's answers
 * over that of `GET /health`, which reads nothing. The requests take turns, one at a time on one connection. `node tools/bench/run.bench.ts [starts] [rounds]`
 */

const [starts = 5, rounds = 1000] = process.argv.slice(2).map(Number);
const root = fileURLToPath(new URL('../..', import.meta.url));
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
const running = new Set<ChildProcess>();
// The whole process group, since make and its shell are the parents.
process.once('exit', () => {
  for (const { pid } of running) if (pid) process.kill(-pid, 'SIGKILL');
});

type Run = { readonly url: string; readonly seconds: number; stop(): Promise<void> };

async function makeRun(): Promise<Run> {
  const dataFolder = await mkdtemp(join(tmpdir(), 'mediasoup-server-'));
  const ports = ['LISTEN', 'METRICS'].flatMap((use) => [`CONTROL_PLANE_${use}_PORT`, `MEDIA_DAEMON_${use}_PORT`]);
  const chosen = [...ports, 'MEDIA_DAEMON_GRPC_PORT', 'MEDIA_DAEMON_RTC_PORT'].map((port) => [port, '0']);
  const begin = performance.now();
  const child = spawn('make', ['--no-print-directory', 'run'], {
    cwd: root,
    detached: true,
    env: {
      ...process.env,
      ...Object.fromEntries(chosen),
      CONTROL_PLANE_DATA_DIR: dataFolder,
      MEDIA_DAEMON_RTC_IP: '127.0.0.1',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.add(child);
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const url = await new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).on('line', (line) => {
      const opened = /^Open (\S+)/.exec(line)?.[1];
      if (opened) resolve(opened);
    });
    child.once('close', (code) => reject(new Error(`make run ended with ${code}`)));
  });
  const seconds = (performance.now() - begin) / 1000;
  const stop = async () => {
    if (child.pid) process.kill(-child.pid, 'SIGINT');
    await ended;
    running.delete(child);
    await rm(dataFolder, { recursive: true, force: true });
  };
  return { url, seconds, stop };
}

/** Milliseconds until the whole response has arrived. */
function timed(url: string, expected: number, body?: object): Promise<number> {
  const begin = performance.now();
  const method = body ? 'POST' : 'GET';
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent, method, headers: { 'content-type': 'application/json' } }, (answer) => {
      answer.resume().once('end', () => {
        if (answer.statusCode === expected) resolve(performance.now() - begin);
        else reject(new Error(`${method} ${url}: ${answer.statusCode}`));
      });
    });
    sent.once('error', reject).end(body && JSON.stringify(body));
  });
}

const quantile = (sorted: readonly number[], q: number): number => sorted[Math.floor((sorted.length - 1) * q)] ?? 0;

const seconds: number[] = [];
for (let start = 1; start < starts; start++) {
  const run = await makeRun();
  seconds.push(run.seconds);
  await run.stop();
}
const run = await makeRun();
seconds.push(run.seconds);
seconds.sort((a, b) => a - b);
process.stdout.write(
  `make run to the address, s: median ${quantile(seconds, 0.5).toFixed(2)}, most ${seconds.at(-1)?.toFixed(2)}\n`,
);

const assign = (roomId: string) => timed(`${run.url}/rooms/${roomId}/assignments`, 201, { peerId: 'bench' });
const asks: Record<string, (round: number) => Promise<number>> = {
  'GET /health': () => timed(`${run.url}/health`, 200),
  'GET /rooms/:roomId': () => timed(`${run.url}/rooms/known`, 200),
  'POST assignments, room known': () => assign('known'),
  'POST assignments, room new': (round) => assign(`new-${round}`),
};
await assign('known');
const times = new Map<string, number[]>(Object.keys(asks).map((name) => [name, []]));
// The first tenth warms up.
for (let round = -Math.ceil(rounds / 10); round < rounds; round++) {
  for (const [name, ask] of Object.entries(asks)) {
    const ms = await ask(round);
    if (round >= 0) times.get(name)?.push(ms);
  }
}
for (const measured of times.values()) measured.sort((a, b) => a - b);
const health = times.get('GET /health') ?? [];
for (const [name, measured] of times) {
  const shown = [0.5, 0.99].map((q) => {
    const ms = quantile(measured, q);
    return `p${q * 100} ${ms.toFixed(2)} ms = ${(ms / quantile(health, q)).toFixed(1)} x health`;
  });
  process.stdout.write(`${name.padEnd(30)} ${shown.join(', ')}\n`);
}
await run.stop();
agent.destroy();
