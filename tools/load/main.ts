import { readFile, writeFile } from 'node:fs/promises';
import { runDaemon } from '../../e2e/support/stack.ts';
import { Load } from './Load.ts';
import { type Options, readOptions, USAGE } from './options.ts';
import { readRecording } from './recording.ts';
import { rate, type Summary, shortfalls, summarize, table } from './summary.ts';

/**
 * Puts rooms full of peers on a deployment and measures what they receive. `node tools/load/main.ts --help`
 */

const options = readOptionsOrEnd();
// The daemon that was started here ends with this process.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const closers: (() => Promise<void>)[] = [];
let load: Load | undefined;
let [joined, doing, failed] = [0, 'joining', false];
/** Overwrites the status line of a terminal; without one, prints a line every few seconds. */
const progress = setInterval(
  () => {
    const { received, lost } = summarize(load?.reports ?? [], [], 1);
    const line = `${doing}: ${joined} peers, ${received} packets, ${lost} lost`;
    process.stderr.write(process.stderr.isTTY ? `\r${line.padEnd(79)}` : `${line}\n`);
  },
  process.stderr.isTTY ? 500 : 5000,
);
/** Prints a line. */
const say = (line: string) => process.stderr.write(process.stderr.isTTY ? `\r${line.padEnd(79)}\n` : `${line}\n`);

try {
  load = await open(options);
  await run(load, options);
  failed = options.grow === 0 && load.refused.length > 0;
} catch (error) {
  failed = true;
  say(error instanceof Error ? error.message : String(error));
}
clearInterval(progress);
load?.close();
for (const close of closers) await close();
// libdatachannel's threads would keep the process alive.
process.exit(failed ? 1 : 0);

function readOptionsOrEnd(): Options {
  try {
    const read = readOptions(process.argv.slice(2));
    if (read) return read;
    process.stdout.write(USAGE);
    process.exit(0);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${USAGE}`);
    process.exit(2);
  }
}

async function open({ url, tokenSecretFile, ...peers }: Options): Promise<Load> {
  const tokenSecret = tokenSecretFile === undefined ? undefined : (await readFile(tokenSecretFile, 'utf8')).trim();
  if (tokenSecret === '') throw new Error(`${tokenSecretFile} holds no secret`);
  const target = { url: url ?? (await ownDaemon()), tokenSecret };
  const opened = new Load({ ...peers, target, recording: await readRecording(), joined: () => joined++ });
  load = opened;
  await opened.open();
  return opened;
}

async function ownDaemon(): Promise<string> {
  const { ready } = await runDaemon(
    { after: (end) => closers.push(end) },
    {
      MEDIA_DAEMON_LOG_LEVEL: 'info',
      MEDIA_DAEMON_MAX_PEERS: '100000',
      MEDIA_DAEMON_MAX_ROOM_PEERS: '100000',
      MEDIA_DAEMON_MAX_IP_CONNECTIONS: '100000',
      MEDIA_DAEMON_MAX_IP_SOCKETS: '100000',
    },
  );
  return String(ready.url);
}

/** Measures repeatedly, with more subscribers each time, until not all can join or receive everything. */
async function run(load: Load, { grow, json, ...asked }: Options): Promise<void> {
  const steps: Summary[] = [];
  let carried = 0;
  for (;;) {
    doing = 'measuring';
    const summary = await measure(load, asked.seconds);
    steps.push(summary);
    const missing = shortfalls(summary, load.duePerSecond, load.cutOff);
    const { refused, duePerSecond, cutOff } = load;
    if (missing.length === 0) carried = summary.subscribers;
    if (grow > 0) say(`${summary.subscribers} subscribers, each: ${rate(summary)}`);
    if (grow > 0 && missing.length === 0 && refused.length === 0) {
      doing = `growing by ${grow * asked.rooms}`;
      await load.grow(grow);
      continue;
    }
    const ends = [
      missing.length > 0 && `Not everything was received by ${summary.subscribers} subscribers: ${missing.join('; ')}.`,
      refused.length > 0 && `${refused.length} subscribers could not join: ${refused[0]?.why}.`,
      grow > 0 && `${carried} subscribers received everything.`,
    ];
    process.stdout.write([table(summary, duePerSecond), ...ends].filter(Boolean).join('\n').concat('\n'));
    if (json !== undefined) {
      const written = { options: { ...asked, grow }, carried, cutOff, refused, steps, summary };
      await writeFile(json, `${JSON.stringify({ ...written, subscribers: load.reports }, undefined, 2)}\n`);
    }
    return;
  }
}

/** Measures for the given time. */
async function measure(load: Load, seconds: number): Promise<Summary> {
  const [before, startedAt] = [load.reports, performance.now()];
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  // On a busy machine the timer fires late.
  return summarize(load.reports, before, (performance.now() - startedAt) / 1000);
}
