/**
 * Prints how long the video of two Chromium pages freezes when their media daemon is killed, frozen or cut off, and how long
 * it stays frozen after the pages' own network outage has ended. RUNS sets the runs of each, AWAY_S the outages' seconds.
 *
 * Drops packets with nftables in its own network namespace, which needs root.
 */
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { Blocked } from '../../e2e/support/Blocked.ts';
import { launchBrowser } from '../../e2e/support/browser.ts';
import { joinRoom, openSdkPages, type SdkWindow, seesMore } from '../../e2e/support/sdkPage.ts';
import { commandsOf, type Daemon, Stack } from '../../e2e/support/stack.ts';
import { TcpProxy } from '../../e2e/support/TcpProxy.ts';

const RUNS = Number(process.env.RUNS ?? 3);
const AWAY_S = (process.env.AWAY_S ?? '8,20,60').split(',').map(Number);
/** Longer than any recovery takes, ms. */
const TIMEOUT_MS = 120_000;

if (process.env.OUTAGE_NAMESPACE === undefined) {
  const script = fileURLToPath(import.meta.url);
  const inside = ['--net', 'bash', '-c', 'ip link set lo up && exec "$0" "$1"', process.execPath, script];
  const env = { ...process.env, OUTAGE_NAMESPACE: '1' };
  process.exit(spawnSync('unshare', inside, { env, stdio: 'inherit' }).status ?? 1);
}

/** A daemon and its ports. */
type Reach = { readonly daemon: Daemon; readonly fleet: TcpProxy; readonly ports: readonly number[] };

test('how long video freezes', { timeout: 7_200_000 }, async (t) => {
  const stack = await Stack.start(t);
  const entrance = await TcpProxy.start(t, Number(new URL(stack.controlPlaneUrl).port));
  const browser = await launchBrowser(t);
  const daemons = new Map<string, Reach>();
  const start = async () => {
    const daemonId = `daemon-${daemons.size + 1}`;
    const fleet = await TcpProxy.start(t, Number(new URL(stack.controlPlaneUrl).port));
    const daemon = await stack.startDaemon(daemonId, {
      MEDIA_DAEMON_WORKERS: '1',
      MEDIA_DAEMON_CONTROL_PLANE_URL: `http://127.0.0.1:${fleet.port}`,
    });
    const { workers } = await commandsOf(t, daemon).getInfo({});
    const ports = [Number(new URL(daemon.url).port), Number(daemon.ready.grpcPort), ...workers.map((w) => w.rtcPort)];
    daemons.set(daemonId, { daemon, fleet, ports });
  };
  let rooms = 0;
  /** Joins two new pages to a new room; the connections that Chromium keeps of earlier ones are not theirs. */
  const meet = async (): Promise<{ readonly pages: readonly Page[]; readonly reach: Reach }> => {
    const pages = await openSdkPages(t, 2, browser);
    const roomId = `room-${++rooms}`;
    for (const [index, page] of pages.entries()) {
      const options = { controlPlaneUrl: `http://127.0.0.1:${entrance.port}`, roomId, peerId: `peer-${index}` };
      await joinRoom(page, options);
    }
    await seeEachOther(pages);
    const [placeId] = await Promise.all(pages.map((page) => page.evaluate(placeOf)));
    const reach = daemons.get(placeId ?? '');
    if (!reach) throw new Error('the pages are at a daemon that was not started here');
    return { pages, reach };
  };

  await start();
  for (const [what, fail] of Object.entries(failures)) {
    const frozen: number[] = [];
    for (let run = 0; run < RUNS; run++) {
      await start();
      const { pages, reach } = await meet();
      for (const page of pages) await page.evaluate(longestGap);
      const end = await fail(reach);
      const former = reach.daemon.ready.daemonId as string;
      await Promise.all(pages.map((page) => page.waitForFunction(isElsewhere, former, { timeout: TIMEOUT_MS })));
      await seeEachOther(pages);
      frozen.push(...(await Promise.all(pages.map((page) => page.evaluate(longestGap)))));
      end();
      reach.daemon.process.kill('SIGKILL');
      await close(pages);
    }
    print(`daemon ${what}`, frozen);
  }
  for (const seconds of AWAY_S) {
    const after: number[] = [];
    for (let run = 0; run < RUNS; run++) {
      const { pages, reach } = await meet();
      const blocked = Blocked.begin([...reach.ports, entrance.port]);
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
      blocked.end();
      after.push(...(await Promise.all(pages.map((page) => page.evaluate(nextFrame)))));
      await close(pages);
    }
    print(`client away for ${seconds} s`, after);
  }
});

/** A failure of a daemon's host, and the function that ends it. */
const failures: Record<string, (reach: Reach) => Promise<() => void>> = {
  killed: async ({ daemon }) => {
    daemon.process.kill('SIGKILL');
    return () => {};
  },
  frozen: ({ daemon }) => daemon.freeze(),
  'cut off': async ({ fleet, ports }) => {
    const blocked = Blocked.begin(ports);
    fleet.cut();
    return () => blocked.end();
  },
};

const close = (pages: readonly Page[]) => Promise.all(pages.map((page) => page.context().close()));

const seeEachOther = (pages: readonly Page[]) => Promise.all(pages.map((page) => seesMore(page, 1)));

const longestGap = () => Math.max(...Object.values((globalThis as unknown as SdkWindow).watch.longestGaps()));

function placeOf(): string {
  const { state } = (globalThis as unknown as SdkWindow).room;
  if (state.status !== 'connected') throw new Error(`the page is ${state.status}`);
  return state.daemonId;
}

function isElsewhere(former: string): boolean {
  const { state } = (globalThis as unknown as SdkWindow).room;
  return state.status === 'connected' && state.daemonId !== former;
}

/** Milliseconds until the next frame of the remote video. */
async function nextFrame(): Promise<number> {
  const from = performance.now();
  const sum = () =>
    Object.values((globalThis as unknown as SdkWindow).watch.frames()).reduce((total, frames) => total + frames, 0);
  const before = sum();
  while (sum() === before) await new Promise((resolve) => setTimeout(resolve, 10));
  return Math.round(performance.now() - from);
}

function print(what: string, times: readonly number[]): void {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.ceil(share * sorted.length) - 1];
  process.stdout.write(`| ${what} | ${times.length} | ${at(0.5)} ms | ${at(0.95)} ms |\n`);
}
