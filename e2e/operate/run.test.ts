import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import type { Page } from 'playwright-core';
import { joinDemo, keepPicture, openPages, seesAndHears } from '../support/browser.ts';
import { assertLooksRight } from '../support/looks.ts';
import { waitUntil } from '../support/waitUntil.ts';

/** Runs what `make run` runs, on free ports. @returns the page's address */
async function runEverything(t: TestContext, environment: Record<string, string> = {}): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'mediasoup-server-'));
  const names = ['CONTROL_PLANE_LISTEN', 'CONTROL_PLANE_METRICS', 'MEDIA_DAEMON_LISTEN', 'MEDIA_DAEMON_METRICS'];
  const ports = [...names, 'MEDIA_DAEMON_GRPC', 'MEDIA_DAEMON_RTC'].map((name) => [`${name}_PORT`, '0']);
  const child = spawn(process.execPath, ['tools/dev/run.ts'], {
    env: {
      ...process.env,
      ...Object.fromEntries(ports),
      CONTROL_PLANE_DATA_DIR: folder,
      MEDIA_DAEMON_DAEMON_ID: 'daemon',
      MEDIA_DAEMON_RTC_IP: '127.0.0.1',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  t.after(async () => {
    child.kill('SIGINT');
    assert.deepEqual(await exited, [0, null]);
    await rm(folder, { recursive: true, force: true });
  });
  for await (const line of createInterface(child.stdout)) {
    const url = /^Open (\S+)/.exec(line)?.[1];
    if (url) return url;
  }
  throw new Error('it ended before it said where the page is');
}

/** The URL to which the page sends its orders to cause a failure. */
async function breakerOf(url: string): Promise<string | undefined> {
  return /<meta name="breaker" content="([^"]+)"/.exec(await (await fetch(url)).text())?.[1];
}

test('a call recovers from each failure that the page of `make run` causes, and the page shows how', async (t) => {
  const url = await runEverything(t);
  const [alice, bob] = (await openPages(t, url, 2)) as [Page, Page];
  await Promise.all([joinDemo(alice, 'lobby', 'Alice'), joinDemo(bob, 'lobby', 'Bob')]);
  await Promise.all([seesAndHears(alice), seesAndHears(bob)]);
  await alice.locator('[data-testid=open-break]').click();

  const told = alice.locator('[data-testid=timeline]');
  const breaks = {
    socket: 'Drop the socket',
    worker: 'Kill the media worker',
    daemon: 'Kill the daemon',
    drain: 'Drain the daemon',
  };
  for (const [what, label] of Object.entries(breaks)) {
    const daemonBefore = await daemonOf(alice);
    const before = await Promise.all([alice, bob].map(decodedFrames));
    await alice.locator(`[data-testid=break-${what}]`).click();
    await told.locator('li:first-child', { hasText: label }).waitFor();
    await told.getByText('Done.').waitFor();
    // The page also shows that the call was interrupted.
    await told.getByText('Connected').waitFor();
    await Promise.all([alice, bob].map((page, index) => moves(page, before[index] ?? 0)));
    if (what === 'daemon' || what === 'drain') assert.notEqual(await daemonOf(alice), daemonBefore);
    t.diagnostic(`${what}: ${(await told.locator('li').allTextContents()).join(' | ')}`);
    if (what === 'daemon') await assertLooksRight(alice, 'break');
  }
  await keepPicture(alice, 'break-drain');
});

test('the endpoint that causes failures takes orders from its own page only', async (t) => {
  const url = await runEverything(t);
  const breaker = await breakerOf(url);
  assert.ok(breaker);
  const order = (path: string, headers: Record<string, string>, body = '{"daemonId":"daemon","peerId":"alice"}') =>
    fetch(`${breaker}${path}`, { method: 'POST', headers, body }).then(({ status }) => status);
  const origin = new URL(url).origin;
  assert.equal(await order('/daemon', {}), 403);
  assert.equal(await order('/daemon', { origin: 'https://evil.example' }), 403);
  assert.equal(await order('/nothing', { origin }), 404);
  assert.equal(await order('/daemon', { origin }, '{}'), 400);
  assert.equal(await order('/daemon', { origin }, '{"daemonId":"elsewhere","peerId":"alice"}'), 404);
  assert.equal(await order('/daemon', { origin }, 'nonsense'), 400);
  assert.equal(await order('/socket', { origin }), 204);
});

test('no endpoint causes failures where other machines may connect', async (t) => {
  const environment = { MEDIA_DAEMON_LISTEN_IP: '127.0.0.1' };
  assert.equal(await breakerOf(await runEverything(t, environment)), undefined);
});

const daemonOf = (page: Page): Promise<string> =>
  page.evaluate(() => (window as unknown as { room: { state: { daemonId: string } } }).room.state.daemonId);

function decodedFrames(page: Page): Promise<number> {
  return page.evaluate(() => {
    const video = document.querySelector<HTMLVideoElement>('[data-testid=tile][data-local=false] video');
    return video?.getVideoPlaybackQuality().totalVideoFrames ?? 0;
  });
}

/** Waits until more of the other's frames are decoded. A new video element counts from zero again. */
async function moves(page: Page, before: number): Promise<void> {
  let last = before;
  let seen = 0;
  await waitUntil(
    'new frames are decoded at 20 looks',
    async () => {
      const now = await decodedFrames(page);
      if (now > last) seen++;
      last = now;
      return seen >= 20;
    },
    () => ({ seen, frames: last }),
  );
}
