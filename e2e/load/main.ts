import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { runDaemon } from '../testing/stack.ts';
import { Load } from './Load.ts';
import { readRecording } from './recording.ts';
import { type Summary, summarize, table } from './summary.ts';

/**
 * Puts rooms full of peers on a deployment and measures what they receive. `node e2e/load/main.ts --help`
 */

const USAGE = `usage: make load ARGS='[options]'

  --url URL              a control plane (http, https) or a media daemon (ws, wss); without it, a daemon is started here
  --token-secret-file F  the secret that the control plane checks access tokens with
  --rooms N              1
  --publishers N         of each room; 1
  --subscribers N        of each room; 10
  --audio false          no sound: 50 packets a second of Opus, 32 kbps
  --fps N                frames of VP8 a second; 30 make 500 kbps, 0 none
  --seconds N            how long is measured when everybody is in; 10
  --joins-per-second N   40
  --grow N               afterwards adds N subscribers to each room at a time, until one does not receive everything
  --json FILE            writes the summary and what each subscriber received
`;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', default: false },
    url: { type: 'string' },
    'token-secret-file': { type: 'string' },
    rooms: { type: 'string', default: '1' },
    publishers: { type: 'string', default: '1' },
    subscribers: { type: 'string', default: '10' },
    audio: { type: 'string', default: 'true' },
    fps: { type: 'string', default: '30' },
    seconds: { type: 'string', default: '10' },
    'joins-per-second': { type: 'string', default: '40' },
    grow: { type: 'string', default: '0' },
    json: { type: 'string' },
  },
});
if (values.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}
const count = (
  name: 'rooms' | 'publishers' | 'subscribers' | 'fps' | 'seconds' | 'joins-per-second' | 'grow',
): number => {
  const number = Number(values[name]);
  if (Number.isFinite(number) && number >= 0) return number;
  process.stderr.write(`--${name} is not a number: ${values[name]}\n${USAGE}`);
  process.exit(2);
};

/** The share of the packets that are due which must come; key frames that are asked for make the rate vary. */
const LEAST_RATE = 0.95;

// The daemon that was started here ends with this process.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const closers: (() => Promise<void>)[] = [];
const ownDaemon = async () => {
  const { ready } = await runDaemon(
    { after: (end) => closers.push(end) },
    {
      MEDIA_DAEMON_LOG_LEVEL: 'info',
      MEDIA_DAEMON_MAX_PEERS: '100000',
      MEDIA_DAEMON_MAX_ROOM_PEERS: '100000',
      MEDIA_DAEMON_MAX_IP_SOCKETS: '100000',
    },
  );
  return String(ready.url);
};
const secretFile = values['token-secret-file'];
const [rooms, publishers, subscribers, seconds, grow] = [
  count('rooms'),
  count('publishers'),
  count('subscribers'),
  count('seconds'),
  count('grow'),
];

let joined = 0;
let doing = 'joining';
const load = new Load({
  target: {
    url: values.url ?? (await ownDaemon()),
    tokenSecret: secretFile && (await readFile(secretFile, 'utf8')).trim(),
  },
  recording: await readRecording(),
  rooms,
  publishers,
  subscribers,
  audio: values.audio !== 'false',
  fps: count('fps'),
  joinsPerSecond: count('joins-per-second'),
  joined: () => joined++,
});

/** One line that is written over, or now and then one where nobody looks at a terminal. */
const progress = setInterval(
  () => {
    const { received, lost } = summarize(load.reports, [], 1);
    const line = `${doing}: ${joined} peers, ${received} packets, ${lost} lost`;
    process.stderr.write(process.stderr.isTTY ? `\r${line.padEnd(79)}` : `${line}\n`);
  },
  process.stderr.isTTY ? 500 : 5000,
);

/** What is received from now on, for the given time. */
async function measure() {
  doing = 'measuring';
  const before = load.reports;
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  return summarize(load.reports, before, seconds);
}
/** The rate, too: a machine that is too slow for the senders, which are here as well, loses nothing. */
const isWhole = ({ lost, silent, stalled, packetsPerSecond }: Summary) =>
  lost === 0 && silent === 0 && stalled === 0 && packetsPerSecond > LEAST_RATE * load.duePerSecond;

let failed = false;
try {
  await load.open();
  let summary = await measure();
  let carried = isWhole(summary) ? summary.subscribers : 0;
  while (grow > 0 && isWhole(summary)) {
    carried = summary.subscribers;
    doing = `growing by ${grow * rooms}`;
    await load.grow(grow);
    summary = await measure();
  }
  clearInterval(progress);
  process.stderr.write('\n');
  process.stdout.write(table(summary, load.duePerSecond));
  if (load.cutOff > 0) process.stdout.write(`\n${load.cutOff} peers have lost their sockets\n`);
  if (grow > 0) process.stdout.write(`\n${carried} subscribers received everything, ${summary.subscribers} did not\n`);
  if (values.json) {
    const written = { options: values, carried, cutOff: load.cutOff, summary, subscribers: load.reports };
    await writeFile(values.json, `${JSON.stringify(written, undefined, 2)}\n`);
  }
} catch (error) {
  failed = true;
  process.stderr.write(`\n${String(error)}\n`);
}
clearInterval(progress);
load.close();
for (const close of closers) await close();
// libdatachannel's threads would keep the process alive.
process.exit(failed ? 1 : 0);
