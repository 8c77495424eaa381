import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CDPSession, Page } from 'playwright-core';
import { joinDemo, openPages } from '../support/browser.ts';
import { Stack } from '../support/stack.ts';
import { waitUntil } from '../support/waitUntil.ts';

/** `make soak` has 500. */
const MEETINGS = Number(process.env.MEETINGS ?? 3);
/** Meetings before the measurement, which load what is loaded once. */
const WARM_UP = 2;
/** Bytes by which the page's heap may grow: compiled code, and some for each meeting. */
const MOST_KEPT = 1_000_000 + 2000 * MEETINGS;

test(`${MEETINGS} meetings leave nothing behind in the page and the daemon`, async (t) => {
  const stack = await Stack.start(t);
  const daemon = await stack.startDaemon('daemon-a');
  const things = async () => {
    const text = await (await fetch(`http://127.0.0.1:${daemon.ready.metricsPort}/metrics`)).text();
    return text.match(/^media_daemon_(sockets|rooms|peers|producers|consumers) .*$/gm)?.join('\n');
  };
  const before = await things();
  const [alice, bob] = (await openPages(t, stack.controlPlaneUrl, 2)) as [Page, Page];
  const inspector = await alice.context().newCDPSession(alice);
  for (let meeting = 0; meeting < WARM_UP; meeting++) await meet(alice, bob, `room-${meeting}`);
  const start = await heapOf(inspector);
  for (let meeting = 0; meeting < MEETINGS; meeting++) {
    if (meeting % 50 === 49) t.diagnostic(`${meeting + 1} meetings: ${JSON.stringify(await heapOf(inspector))}`);
    await meet(alice, bob, `room-${WARM_UP + meeting}`);
  }
  // Chromium keeps the tracks of `getUserMedia` for about twenty seconds.
  const isAsBefore = async () => {
    const end = await heapOf(inspector);
    for (const [kind, count] of Object.entries(end.live)) {
      // The same page may have an element more or less, but not one for each meeting.
      const most = ENDING.includes(kind) ? 0 : (start.live[kind] ?? 0) + Math.floor(MEETINGS / 2);
      assert.ok(count <= most, `${count} of ${kind}, of which there may be ${most}`);
    }
    return end;
  };
  const end = await t.waitFor(isAsBefore, { interval: 2_000, timeout: 120_000 });
  const kept = end.bytes - start.bytes;
  t.diagnostic(`heap ${start.bytes} -> ${end.bytes} bytes: ${Math.round(kept / MEETINGS)} bytes a meeting`);
  t.diagnostic(`live objects ${JSON.stringify(start.live)} -> ${JSON.stringify(end.live)}`);
  assert.ok(kept < MOST_KEPT, `${kept} bytes are kept`);
  let left = before;
  await waitUntil(
    'the daemon holds what it held before',
    async () => {
      left = await things();
      return left === before;
    },
    () => left,
  );
});

/** Objects that must be gone after a meeting. Every room has an AbortController. */
const ENDING: readonly string[] = ['RTCPeerConnection', 'WebSocket', 'AbortController'];
/** Objects that a meeting creates. */
const KINDS = [...ENDING, 'HTMLElement', 'MediaStream', 'MediaStreamTrack', 'AudioContext', 'AudioNode'];

/** The page's heap after garbage collection, and the live objects of the kinds that a meeting creates. */
async function heapOf(inspector: CDPSession) {
  // Objects with a finalizer go in the second collection.
  for (let time = 0; time < 3; time++) await inspector.send('HeapProfiler.collectGarbage');
  const live: Record<string, number> = {};
  for (const name of KINDS) {
    const { result } = await inspector.send('Runtime.evaluate', { expression: `${name}.prototype` });
    const { objects } = await inspector.send('Runtime.queryObjects', { prototypeObjectId: result.objectId ?? '' });
    const count = await inspector.send('Runtime.callFunctionOn', {
      objectId: objects.objectId ?? '',
      functionDeclaration: 'function () { return this.length; }',
      returnByValue: true,
    });
    live[name] = count.result.value;
    for (const { objectId } of [result, objects]) {
      if (objectId) await inspector.send('Runtime.releaseObject', { objectId });
    }
  }
  await inspector.send('HeapProfiler.collectGarbage');
  const { usedSize } = await inspector.send('Runtime.getHeapUsage');
  return { bytes: usedSize, live };
}

/** One meeting: both join, see each other, mute and unmute, one shares a screen, and both leave. */
async function meet(alice: Page, bob: Page, room: string): Promise<void> {
  const both = (act: (page: Page) => Promise<unknown>) => Promise.all([act(alice), act(bob)]);
  const click = (page: Page, id: string) => page.locator(`[data-testid=${id}]`).click();
  const otherMuted = (state: 'attached' | 'detached') =>
    both((page) => page.locator('[data-testid=tile][data-local=false] .mic-off').waitFor({ state }));
  await Promise.all([joinDemo(alice, room, 'Alice'), joinDemo(bob, room, 'Bob')]);
  await both((page) => plays(page, 2));
  await both((page) => click(page, 'mute'));
  await otherMuted('attached');
  await both((page) => click(page, 'mute'));
  await otherMuted('detached');
  await click(alice, 'screen');
  await both((page) => plays(page, 3));
  await click(alice, 'screen');
  await both((page) => plays(page, 2));
  await both((page) => click(page, 'leave'));
  await both((page) => page.locator('[data-testid=ended] button', { hasText: 'Back to the start' }).click());
}

/** Waits until this many videos are shown and play. */
const plays = (page: Page, count: number) =>
  page.waitForFunction((wanted) => {
    const shown = [...document.querySelectorAll<HTMLVideoElement>('[data-testid=tile] video')];
    return shown.filter(({ hidden, currentTime }) => !hidden && currentTime > 0).length === wanted;
  }, count);
