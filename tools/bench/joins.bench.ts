import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { unlimitedRates } from '../../media-daemon/src/testing/unlimitedRates.ts';
import { cpuSeconds } from '../load/processCpu.ts';
import { DaemonClient, DemoClient, JoiningClient } from './joins/JoiningClient.ts';

/**
 * Joins a second of one Node process's CPU, workers not counted, over those of a server of mediasoup-demo's kind: rooms of
 * four over TLS, two transports a peer, audio of everybody to everybody. All servers do the same work in turns.
 * `node tools/bench/joins.bench.ts [rounds] [rooms] [checkout of another commit]`
 */

const PEERS = 4;
const ROOMS_AT_ONCE = 5;
const [rounds = 5, rooms = 50] = process.argv.slice(2, 4).map(Number);
const other = process.argv[4];

type Server = {
  readonly name: string;
  readonly child: ChildProcess;
  readonly url: string;
  readonly client: 'demo' | 'daemon';
};

const folder = mkdtempSync(join(tmpdir(), 'joins-'));
const children: ChildProcess[] = [];
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});
const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
const certificate = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost'.split(' ');
execFileSync('openssl', [...certificate, '-keyout', key, '-out', cert], { stdio: 'pipe' });

async function start(name: string, client: Server['client'], file: string, args: string[]): Promise<Server> {
  const child = spawn(process.execPath, [file, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      ...unlimitedRates,
      MEDIA_DAEMON_WORKERS: '1',
      MEDIA_DAEMON_TLS_CERT_FILE: cert,
      MEDIA_DAEMON_TLS_KEY_FILE: key,
      MEDIA_DAEMON_LISTEN_PORT: '0',
      MEDIA_DAEMON_GRPC_PORT: '0',
      MEDIA_DAEMON_METRICS_PORT: '0',
      MEDIA_DAEMON_RTC_PORT: '0',
      MEDIA_DAEMON_LOG_LEVEL: 'info',
    },
  });
  children.push(child);
  for await (const line of createInterface({ input: child.stdout })) {
    const { url } = JSON.parse(line);
    if (url === undefined) continue;
    child.stdout.resume();
    return { name, child, url, client };
  }
  throw new Error(`${name} ended before it was ready`);
}

const ownCpu = async ({ child: { pid = 0 } }: Server): Promise<number> => (await cpuSeconds(pid)).get(pid) ?? 0;

let meetings = 0;
async function fillRoom({ url, client }: Server): Promise<JoiningClient[]> {
  const roomId = `room-${meetings++}`;
  const peers: JoiningClient[] = [];
  for (let index = 0; index < PEERS; index++) {
    const socket = await JoiningClient.open(url, roomId, `peer-${index}`);
    const peer = client === 'demo' ? new DemoClient(socket) : new DaemonClient(socket);
    await peer.join(roomId, `peer-${index}`);
    peers.push(peer);
  }
  await Promise.all(peers.map((peer) => peer.consumed(PEERS - 1)));
  return peers;
}

/** Joins a second of the server's CPU, leaving included. */
async function round(server: Server): Promise<number> {
  const before = await ownCpu(server);
  let left = rooms;
  const fill = async () => {
    while (left-- > 0) for (const peer of await fillRoom(server)) peer.leave();
  };
  await Promise.all(Array.from({ length: ROOMS_AT_ONCE }, fill));
  // What closing costs belongs to the round.
  await delay(500);
  return (rooms * PEERS) / ((await ownCpu(server)) - before);
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const daemonOf = (checkout: string) => join(checkout, 'media-daemon/src/main.ts');
const servers = [
  await start('mediasoup-demo', 'demo', fileURLToPath(new URL('joins/demoServer.ts', import.meta.url)), [cert, key]),
  await start('this commit', 'daemon', daemonOf(root), []),
  ...(other === undefined ? [] : [await start('other commit', 'daemon', daemonOf(resolve(other)), [])]),
];
const results = new Map(servers.map(({ name }) => [name, [] as number[]]));
for (let index = 0; index <= rounds; index++) {
  const line: string[] = [];
  for (const server of servers) {
    const joins = await round(server);
    line.push(`${server.name} ${joins.toFixed(0)}`);
    // The first round warms all up.
    if (index > 0) results.get(server.name)?.push(joins);
  }
  process.stdout.write(`round ${index}: joins a CPU second: ${line.join(', ')}\n`);
}
const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
const base = results.get('mediasoup-demo') ?? [];
for (const [name, joins] of results)
  process.stdout.write(
    `${name} over mediasoup-demo, median: ${median(joins.map((value, i) => value / (base[i] ?? 1))).toFixed(2)}\n`,
  );
process.exit(0);
