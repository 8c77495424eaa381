import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { SignalingClient } from '../../media-daemon/src/testing/SignalingClient.ts';
import { unlimitedRates } from '../../media-daemon/src/testing/unlimitedRates.ts';

/**
 * The signaling latency of a live room under an attack on the daemon's gRPC port, over that without, and what the attack
 * leaves behind. `node tools/bench/hostile.bench.ts [pings] [streams]`
 */

const [pings = 3000, streams = 10_000] = process.argv
  .slice(2)
  .filter((word) => /^\d+$/.test(word))
  .map(Number);
/** The streams of one connection. */
const STREAMS_A_CONNECTION = 1000;
const WATCHERS = '100 greedy watchers';
/** The events in the daemon's log when the attack starts. */
const EVENTS = 20_000;

if (process.argv[2] === 'daemon') await serve();
else if (process.argv[2] === 'stranger') plague(String(process.argv[3]), Number(process.argv[4]), streams);
else await compare();

async function serve(): Promise<void> {
  const { createLogger } = await import('@mediasoup-server/server-kit/logger');
  const { readConfig } = await import('../../media-daemon/src/config.ts');
  const { startDaemon } = await import('../../media-daemon/src/daemon.ts');
  const ports = ['LISTEN', 'GRPC', 'METRICS', 'RTC'].map((which) => [`MEDIA_DAEMON_${which}_PORT`, '0']);
  const config = readConfig({
    ...Object.fromEntries(ports),
    MEDIA_DAEMON_WORKERS: '1',
    ...unlimitedRates,
  });
  const { url, grpcPort } = await startDaemon(config, createLogger('media-daemon', 'silent'), {
    onSuperseded: () => {},
    onDrainCommand: () => {},
  });
  process.on('message', () => {
    globalThis.gc?.();
    process.send?.({ bytes: process.memoryUsage().heapUsed });
  });
  process.send?.({ url, grpcPort });
}

/** The attacks. Each runs until its process is killed, and reports its start. */
function plague(how: string, port: number, count: number): void {
  const begun = (open?: number) => process.send?.({ open });
  if (how === 'half-open connections') {
    let open = 0;
    for (let index = 0; index < 1000; index++) {
      const socket = connectTcp(port, '127.0.0.1');
      socket.on('error', () => {});
      socket.on('connect', () => {
        // Half of them send the HTTP/2 preface and nothing more.
        if (index % 2 === 0) socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
        if (++open === 1000) begun();
      });
    }
    return;
  }
  const session = () => {
    const opened = connectHttp2(`http://127.0.0.1:${port}`);
    opened.on('error', () => {});
    return opened;
  };
  const call = (on: ReturnType<typeof session>, method: string) => {
    const stream = on.request({
      ':method': 'POST',
      ':path': `/media.v1.MediaDaemon/${method}`,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    stream.on('error', () => {});
    stream.resume();
    return stream;
  };
  if (how === `${count} streams at once`) {
    let open = 0;
    let asked = 0;
    for (let from = 0; from < count; from += STREAMS_A_CONNECTION) {
      const on = session();
      on.once('connect', () => {
        const size = Math.min(STREAMS_A_CONNECTION, count - from);
        for (let index = 0; index < size; index++) {
          open++;
          call(on, 'WatchEvents').once('close', () => open--);
        }
        // A later request on the connection is answered once these have been read.
        on.ping(() => {
          asked += size;
          if (asked === count) begun(open);
        });
      });
    }
    return;
  }
  if (how === WATCHERS) {
    const on = session();
    // Half of them watch from the first event and do not read; the others reconnect and skip everything.
    const everything = Buffer.from([0, 0, 0, 0, 3, 0x12, 1, 0x78]);
    const another = Buffer.from([0, 0, 0, 0, 6, 0x0a, 1, 0x79, 0x12, 1, 0x78]);
    const pass = () => {
      const stream = call(on, 'WatchEvents');
      stream.once('data', () => setTimeout(() => stream.close(), 100)).once('close', pass);
      stream.end(another);
    };
    on.once('connect', () => {
      for (let index = 0; index < 80; index++) {
        const stream = call(on, 'WatchEvents');
        if (index % 2 === 0) stream.pause();
        stream.end(everything);
      }
      for (let index = 0; index < 20; index++) pass();
      on.ping(() => begun(100));
    });
    return;
  }
  const [atOnce, body] =
    how === 'malformed messages' ? [50, Buffer.alloc(100, 0xff)] : [4, Buffer.alloc(1_048_576, 0x0a)];
  const header = Buffer.alloc(5);
  header.writeUInt32BE(body.length, 1);
  const again = (on: ReturnType<typeof session>) => {
    const stream = call(on, 'GetRoom');
    stream.on('close', () => setImmediate(again, on));
    stream.end(Buffer.concat([header, body]));
  };
  const on = session();
  on.once('connect', () => {
    for (let index = 0; index < atOnce; index++) again(on);
    begun();
  });
}

async function compare(): Promise<void> {
  const file = fileURLToPath(import.meta.url);
  const daemon = fork(file, ['daemon'], { execArgv: ['--expose-gc'] });
  const [{ url, grpcPort }] = (await once(daemon, 'message')) as [{ url: string; grpcPort: number }];
  const alice = await SignalingClient.join(url, 'room', 'alice');
  const bob = await SignalingClient.join(url, 'room', 'bob');
  for (let event = 0; event < EVENTS; event++) await bob.request('updateAppData', { appData: { event } });
  await latencies(alice);
  const quiet = await latencies(alice);
  const before = await held(daemon);
  print('', 'p50', 'p99', 'p50 over quiet', 'p99 over quiet');
  const row = (what: string, { p50, p99 }: typeof quiet) =>
    print(
      what,
      `${p50.toFixed(3)} ms`,
      `${p99.toFixed(3)} ms`,
      (p50 / quiet.p50).toFixed(2),
      (p99 / quiet.p99).toFixed(2),
    );
  row('quiet', quiet);
  for (const how of [
    'malformed messages',
    'oversized messages',
    `${streams} streams at once`,
    'half-open connections',
    WATCHERS,
  ]) {
    const stranger = fork(file, ['stranger', how, String(grpcPort), String(streams)]);
    const [{ open }] = (await once(stranger, 'message')) as [{ open?: number }];
    if (how === `${streams} streams at once` && open !== streams) throw new Error(`only ${open} streams are open`);
    row(how, await latencies(alice));
    stranger.kill('SIGKILL');
    await once(stranger, 'exit');
  }
  let after = await held(daemon);
  while (after.files > before.files) {
    await delay(100);
    after = await held(daemon);
  }
  row('quiet again', await latencies(alice));
  after = await held(daemon);
  print('left over', `${after.files - before.files} files`, `${((after.bytes - before.bytes) / 1e6).toFixed(1)} MB`);
  daemon.kill('SIGKILL');
  process.exit();
}

/** The latency of a peer's request, ms. */
async function latencies(peer: SignalingClient): Promise<{ p50: number; p99: number }> {
  const times: number[] = [];
  for (let ping = 0; ping < pings; ping++) {
    const since = performance.now();
    await peer.request('ping');
    times.push(performance.now() - since);
  }
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.floor(share * times.length)] ?? 0;
  return { p50: at(0.5), p99: at(0.99) };
}

/** The daemon's open handles, and its used heap in bytes. */
async function held(daemon: ChildProcess): Promise<{ files: number; bytes: number }> {
  daemon.send('collect garbage');
  const [{ bytes }] = (await once(daemon, 'message')) as [{ bytes: number }];
  return { files: readdirSync(`/proc/${daemon.pid}/fd`).length, bytes };
}

function print(what: string, ...cells: string[]): void {
  process.stdout.write(`${what.padEnd(26)}${cells.map((cell) => cell.padStart(16)).join('')}\n`);
}
