import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { metricsOf, runDaemon } from './stack.ts';

/**
 * Runs a daemon in this network namespace and `make load` in another one, whose end of the link tcpdump captures. Prints
 * what the load received, and the daemon's metrics and log, as JSON.
 * `node capturedLoad.ts NAMESPACE DAEMON_ADDRESS FOLDER`, which writes FOLDER/capture.pcap
 */

const [namespace = '', address = '', folder = ''] = process.argv.slice(2);
const isListening = (line = '') => line.startsWith('tcpdump: listening');
const load = fileURLToPath(new URL('../../tools/load/main.ts', import.meta.url));
const there = (command: string, ...args: string[]) =>
  spawn('ip', ['netns', 'exec', namespace, command, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });

const closers: (() => Promise<void>)[] = [];
const daemon = await runDaemon(
  { after: (end) => closers.push(end) },
  {
    MEDIA_DAEMON_WORKERS: '1',
    MEDIA_DAEMON_LISTEN_IP: address,
    MEDIA_DAEMON_RTC_IP: address,
    MEDIA_DAEMON_ALLOW_OPEN_BEYOND_LOOPBACK: 'true',
  },
);

// It would become a user who cannot write into the folder. The filter passes all fragments of a datagram.
const capture = ['--immediate-mode', '-Z', 'root', '-i', 'eth0', '-w', join(folder, 'capture.pcap')];
const tcpdump = there('tcpdump', ...capture, `udp and src host ${address}`);
const captured = once(tcpdump, 'exit');
const told: string[] = [];
for await (const line of createInterface(tcpdump.stderr)) if (told.push(line) && isListening(line)) break;
if (!isListening(told.at(-1))) throw new Error(`tcpdump does not capture: ${told.join('\n')}`);

const json = join(folder, 'load.json');
const peers = ['--subscribers', '2', '--audio', 'false', '--seconds', '2', '--json', json];
const running = there(process.execPath, load, '--url', String(daemon.ready.url), ...peers);
running.stderr.pipe(process.stderr);
const [code] = await once(running, 'exit');
const metrics = await metricsOf(daemon);
tcpdump.kill('SIGINT');
await captured;
for (const close of closers) await close();
if (code !== 0) throw new Error(`the load ended with ${code}`);
const { summary } = JSON.parse(await readFile(json, 'utf8'));
process.stdout.write(`${JSON.stringify({ summary, metrics, log: daemon.log })}\n`);
process.exit();
