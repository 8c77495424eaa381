import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import type { Page } from 'playwright-core';
import { joinDemo, openPages, seesAndHears } from '../support/browser.ts';
import { Stack } from '../support/stack.ts';
import { waitUntil } from '../support/waitUntil.ts';

/** What a page saw of the other's camera since the last call. */
type Seen = { readonly frames: number; readonly longestMs: number; readonly statuses: string[] };
type Watcher = { readonly look: () => Seen };

/** Frames that each side must see after a step before the next step. */
const FRAMES = 30;
/** The aim is below a second; a busy machine may be ten times as slow. */
const MOST_FREEZE_MS = 10_000;

test('a rolling upgrade of control plane and daemons interrupts no call', async (t) => {
  const stack = await Stack.start(t);
  const [daemons, pages] = await Promise.all([
    stack.startDaemons(['daemon-a', 'daemon-b']),
    openPages(t, stack.controlPlaneUrl, 2),
  ]);
  await Promise.all(pages.map((page, index) => joinDemo(page, 'lobby', `Peer ${index}`)));
  await Promise.all(pages.map(seesAndHears));
  await Promise.all(pages.map((page) => page.evaluate(watchFrames)));
  const owner = async () => (await stack.assign('lobby', 'looking')).daemonId;

  await goesOn(t, pages, 'control plane stopped and started', async () => {
    const stopped = once(stack.controlPlane, 'exit');
    stack.controlPlane.kill('SIGTERM');
    assert.deepEqual(await stopped, [0, null]);
    await stack.restartControlPlane();
  });
  const first = await owner();
  // The daemon that carries the call comes first, so that the call moves twice.
  for (const id of [first, ...[...daemons.keys()].filter((other) => other !== first)]) {
    const old = daemons.get(id);
    assert.ok(old);
    assert.equal(await owner(), id, 'it carries the call');
    await goesOn(t, pages, `${id} drained, stopped and started anew`, async () => {
      const stopped = once(old.process, 'exit');
      old.process.kill('SIGTERM');
      assert.deepEqual(await stopped, [0, null]);
      const ends = old.log.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'room closed');
      assert.deepEqual(
        ends.map(({ roomId, end }) => [roomId, end]),
        [['lobby', 'moved']],
        'its peers have left before it ended',
      );
      daemons.set(id, await stack.startDaemon(id));
    });
    assert.notEqual(await owner(), id);
  }
});

/** Takes a step, waits until each side sees new frames, and prints and bounds the longest freeze. */
async function goesOn(t: TestContext, pages: readonly Page[], step: string, take: () => Promise<void>): Promise<void> {
  const look = () => Promise.all(pages.map((page) => page.evaluate(seenFrames)));
  const before = await look();
  await take();
  const after = await look();
  const longest = before.map((_, index) => after[index]?.longestMs ?? 0);
  const statuses = new Set(after.flatMap((seen) => seen.statuses));
  const frames = pages.map(() => 0);
  const goOn = async () => {
    for (const [index, seen] of (await look()).entries()) {
      frames[index] = (frames[index] ?? 0) + seen.frames;
      longest[index] = Math.max(longest[index] ?? 0, seen.longestMs);
      for (const status of seen.statuses) statuses.add(status);
    }
    return frames.every((count) => count >= FRAMES);
  };
  await waitUntil(`${FRAMES} new frames are shown on each side`, goOn, () => ({ frames, statuses: [...statuses] }));
  assert.ok(Math.max(...longest) < MOST_FREEZE_MS, `${step}: the video stood still for ${Math.max(...longest)} ms`);
  t.diagnostic(`${step}: longest freeze ${longest.map((ms) => `${Math.round(ms)} ms`).join(' and ')}`);
  assert.ok(!statuses.has('closed'), [...statuses].join());
}

/** Counts the frames of the other's camera, whichever element shows them, and collects the call's statuses. */
function watchFrames(): void {
  const known = new WeakSet<HTMLVideoElement>();
  const statuses = new Set<string>();
  let frames = 0;
  let longestMs = 0;
  let lastAt = performance.now();
  const pause = () => Math.max(longestMs, performance.now() - lastAt);
  const look = () => {
    statuses.add(document.querySelector<HTMLElement>('[data-testid=state]')?.dataset.status ?? 'closed');
    for (const video of document.querySelectorAll<HTMLVideoElement>('[data-testid=tile][data-local=false] video')) {
      if (known.has(video)) continue;
      known.add(video);
      const shown = () => {
        longestMs = pause();
        lastAt = performance.now();
        frames++;
        video.requestVideoFrameCallback(shown);
      };
      video.requestVideoFrameCallback(shown);
    }
  };
  setInterval(look, 20);
  (window as unknown as { watcher: Watcher }).watcher = {
    look: () => {
      const seen = { frames, longestMs: pause(), statuses: [...statuses] };
      frames = 0;
      longestMs = 0;
      statuses.clear();
      return seen;
    },
  };
}

const seenFrames = (): Seen => (window as unknown as { watcher: Watcher }).watcher.look();
