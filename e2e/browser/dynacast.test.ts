import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Page } from 'playwright-core';
import { joinRoom, openSdkPages, type SdkWindow, seesMore } from '../support/sdkPage.ts';
import { Stack } from '../support/stack.ts';
import { waitUntil } from '../support/waitUntil.ts';

/** The longest time without a new frame while a layer is turned on again, ms: wide, for busy machines. */
const LONGEST_GAP_MS = 5_000;

const stack = await Stack.start({ after });
const [[alice, bob, carol]] = await Promise.all([
  openSdkPages({ after }, 3) as Promise<[Page, Page, Page]>,
  stack.startDaemon('daemon-a'),
]);
await Promise.all(
  Object.entries({ alice, bob, carol }).map(([peerId, page]) => {
    const options = { controlPlaneUrl: stack.controlPlaneUrl, roomId: 'dynacast', peerId };
    return joinRoom(page, options, { camera: page === alice });
  }),
);
await Promise.all([bob, carol].map((page) => seesMore(page, 1)));

/** The bytes that Alice has sent so far of each encoding, low to high. */
const sent = (): Promise<number[]> =>
  alice.evaluate(async () => {
    const bytes: Record<string, number> = {};
    for (const report of await (globalThis as unknown as SdkWindow).room.getStatsReports()) {
      for (const entry of report.values())
        if (entry.type === 'outbound-rtp' && entry.kind === 'video') bytes[entry.rid] = entry.bytesSent;
    }
    return ['r0', 'r1'].map((rid) => bytes[rid] ?? 0);
  });

/** Waits until Alice sends just these encodings for a second. */
async function sends(expected: readonly boolean[]): Promise<void> {
  let flowing: boolean[] = [];
  await waitUntil(
    `Alice sends r0 and r1 as ${expected}`,
    async () => {
      const before = await sent();
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      flowing = (await sent()).map((bytes, encoding) => bytes > (before[encoding] ?? 0));
      return expected.every((wanted, encoding) => flowing[encoding] === wanted);
    },
    () => flowing,
  );
}

const prefer = (page: Page, spatialLayer: number): Promise<void> =>
  page.evaluate(async (layer) => {
    const { room } = globalThis as unknown as SdkWindow;
    const video = room.remoteTracks.find(({ kind }) => kind === 'video');
    await video?.setPreferredLayers({ spatialLayer: layer });
  }, spatialLayer);

const setSubscribed = (page: Page, subscribed: boolean): Promise<void> =>
  page.evaluate((wanted) => {
    const { room } = globalThis as unknown as SdkWindow;
    const video = room.remoteTracks.find(({ kind }) => kind === 'video');
    if (wanted) video?.subscribe();
    else video?.unsubscribe();
  }, subscribed);

const longestGap = async (page: Page): Promise<number> =>
  Math.max(...Object.values(await page.evaluate(() => (globalThis as unknown as SdkWindow).watch.longestGaps())));

test('S73 a layer that no viewer wants is not sent, and is sent again without a frozen picture', async (t) => {
  await prefer(bob, 1);
  await sends([true, true]);
  await Promise.all([prefer(bob, 0), prefer(carol, 0)]);
  await sends([true, false]);
  await Promise.all([bob, carol].map((page) => longestGap(page)));
  await prefer(bob, 1);
  await sends([true, true]);
  await bob.waitForFunction(() => {
    const { room } = globalThis as unknown as SdkWindow;
    return room.remoteTracks.find(({ kind }) => kind === 'video')?.layers?.spatialLayer === 1;
  });
  await Promise.all([bob, carol].map((page) => seesMore(page, 1)));
  for (const [name, page] of Object.entries({ bob, carol })) {
    const gap = await longestGap(page);
    t.diagnostic(`longest time without a frame at ${name}: ${gap} ms`);
    assert.ok(gap < LONGEST_GAP_MS, `${name} saw no frame for ${gap} ms`);
  }
});

test('S73 a video that nobody watches is not sent, and is seen again by who subscribes to it', async () => {
  await Promise.all([bob, carol].map((page) => setSubscribed(page, false)));
  await sends([false, false]);
  await setSubscribed(carol, true);
  await seesMore(carol, 1);
});
