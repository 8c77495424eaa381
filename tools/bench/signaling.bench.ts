import { type ChildProcess, fork } from 'node:child_process';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import protoo from 'protoo-server';
import { WebSocket } from 'ws';
import { unlimitedRates } from '../../media-daemon/src/testing/unlimitedRates.ts';

/**
 * Messages a CPU second of the daemon's process, validation included, over those of protoo's own WebSocketServer without
 * validation, as mediasoup-demo used it in 2024. Both answer the same requests of the same clients, in turns. `node tools/bench/signaling.bench.ts [rounds] [requests]`
 */

const SOCKETS = 20;
/** Pending requests of each socket. */
const WINDOW = 50;
const [rounds = 5, requests = 40_000] = process.argv
  .slice(2)
  .filter((word) => /^\d+$/.test(word))
  .map(Number);
const data = { consumerId: '3f0f2e5c-0a44-4c54-9f0c-6d5c5f1f9b1a' };

if (process.argv[2] === 'protoo') servePlain();
else if (process.argv[2] === 'ours') await serveOurs();
else await compare();

/** Reports this process's CPU time when the parent asks. */
function answerCpu(url: string): void {
  process.on('message', () => process.send?.({ cpu: process.cpuUsage() }));
  process.send?.({ url });
}

function servePlain(): void {
  const http = createServer();
  const room = new protoo.Room();
  const server = new protoo.WebSocketServer(http, {});
  server.on('connectionrequest', (info, accept) => {
    const peerId = new URL(info.request.url ?? '', 'ws://x').searchParams.get('peerId') ?? '';
    const peer = room.createPeer(peerId, accept());
    peer.on('request', (request, accept, reject) => {
      handle(request.method, request.data).then(accept, reject);
    });
  });
  // Like mediasoup-demo's handler, throws for an unknown consumer.
  const consumers = new Map<string, { resume(): Promise<void> }>();
  const handle = async (method: string, { consumerId }: { consumerId: string }) => {
    switch (method) {
      case 'joinRoom':
      case 'ping':
        return {};
      case 'resume': {
        const consumer = consumers.get(consumerId);
        if (!consumer) throw new Error(`consumer with id "${consumerId}" not found`);
        return consumer.resume();
      }
      default:
        throw new Error(`unknown request.method "${method}"`);
    }
  };
  http.listen(0, '127.0.0.1', () => {
    const address = http.address();
    answerCpu(`ws://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`);
  });
}

async function serveOurs(): Promise<void> {
  const { createLogger } = await import('@mediasoup-server/server-kit/logger');
  const { readConfig } = await import('../../media-daemon/src/config.ts');
  const { startDaemon } = await import('../../media-daemon/src/daemon.ts');
  const ports = Object.fromEntries(
    ['LISTEN', 'GRPC', 'METRICS', 'RTC'].map((which) => [`MEDIA_DAEMON_${which}_PORT`, '0']),
  );
  const config = readConfig({
    ...ports,
    MEDIA_DAEMON_WORKERS: '1',
    ...unlimitedRates,
  });
  const { url } = await startDaemon(config, createLogger('media-daemon', 'silent'), {
    onSuperseded: () => {},
    onDrainCommand: () => {},
  });
  answerCpu(url);
}

type Server = { readonly child: ChildProcess; readonly sockets: WebSocket[] };

async function start(kind: 'protoo' | 'ours'): Promise<Server> {
  const child = fork(fileURLToPath(import.meta.url), [kind]);
  process.once('exit', () => child.kill('SIGKILL'));
  const { url } = await message(child);
  const sockets = await Promise.all(
    Array.from({ length: SOCKETS }, async (_, index) => {
      const socket = new WebSocket(`${url}/?roomId=room&peerId=p${index}`, 'protoo');
      await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
      const joined = new Promise((resolve) => socket.once('message', resolve));
      socket.send(
        JSON.stringify({ request: true, id: 1, method: 'joinRoom', data: { roomId: 'room', peerId: `p${index}` } }),
      );
      await joined;
      return socket;
    }),
  );
  return { child, sockets };
}

function message(child: ChildProcess): Promise<{ url: string; cpu: NodeJS.CpuUsage }> {
  return new Promise((resolve) => child.once('message', (received) => resolve(received as never)));
}

async function cpuSeconds({ child }: Server): Promise<number> {
  child.send('cpu');
  const { cpu } = await message(child);
  return (cpu.user + cpu.system) / 1e6;
}

/** Requests a CPU second of the server. */
async function run(server: Server, method: string, count: number): Promise<number> {
  const before = await cpuSeconds(server);
  await Promise.all(server.sockets.map((socket) => exchange(socket, method, Math.ceil(count / SOCKETS))));
  return count / ((await cpuSeconds(server)) - before);
}

function exchange(socket: WebSocket, method: string, count: number): Promise<void> {
  return new Promise((resolve) => {
    let sent = 0;
    let answered = 0;
    const ask = () => {
      if (sent < count) socket.send(JSON.stringify({ request: true, id: ++sent + 1, method, data }));
    };
    const listener = (text: Buffer) => {
      // Skips notifications of other peers' joins.
      if (!text.includes('"response":true')) return;
      answered++;
      if (answered < count) ask();
      else {
        socket.off('message', listener);
        resolve();
      }
    };
    socket.on('message', listener);
    for (let index = 0; index < Math.min(WINDOW, count); index++) ask();
  });
}

async function compare(): Promise<void> {
  const plain = await start('protoo');
  const ours = await start('ours');
  for (const method of ['ping', 'resume']) {
    const ratios: number[] = [];
    for (let round = 0; round <= rounds; round++) {
      const [theirs, our] = [await run(plain, method, requests), await run(ours, method, requests)];
      // The first round warms up both servers.
      if (round > 0) ratios.push(our / theirs);
      process.stdout.write(
        `${method.padEnd(8)} round ${round}: protoo ${theirs.toFixed(0)}, ours ${our.toFixed(0)} a CPU second\n`,
      );
    }
    ratios.sort((a, b) => a - b);
    process.stdout.write(`${method.padEnd(8)} ours over protoo, median: ${ratios[ratios.length >> 1]?.toFixed(2)}\n`);
  }
  process.exit(0);
}
