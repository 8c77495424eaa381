import type { TestContext } from 'node:test';
import { chromium, type Page } from 'playwright-core';

/** Where Debian's package puts Chromium; CHROMIUM_BIN names another. */
const executablePath = process.env.CHROMIUM_BIN ?? '/usr/bin/chromium';

/** Opens a page in a Chromium of its own, with a fake camera and a fake microphone that beeps. */
export async function openBrowser(t: TestContext, url: string): Promise<Page> {
  const [page] = await openPages(t, url, 1);
  if (!page) throw new Error('no page was opened');
  return page;
}

/** Opens pages that know nothing of each other in one Chromium. */
export async function openPages(t: TestContext, url: string, count: number): Promise<Page[]> {
  const browser = await chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
      '--use-fake-device-for-media-stream',
      '--use-fake-ui-for-media-stream',
      '--autoplay-policy=no-user-gesture-required',
      // On a machine without any network Chromium would have no candidate at all otherwise.
      '--allow-loopback-in-peer-connection',
    ],
  });
  t.after(() => browser.close());
  return Promise.all(
    Array.from({ length: count }, async () => {
      const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
      const page = await context.newPage();
      page.setDefaultTimeout(30_000);
      await page.goto(url);
      return page;
    }),
  );
}

/** Fills in the demo page's form and joins. */
export async function joinDemo(page: Page, room: string, name: string): Promise<void> {
  await page.locator('input[name=room]').fill(room);
  await page.locator('input[name=name]').fill(name);
  await page.locator('[data-testid=join-form] button[type=submit]').click();
  await page.locator('[data-testid=state][data-status=connected]').waitFor();
}

/** Waits until frames of the other's camera are decoded and sound with energy arrives. */
export async function seesAndHears(page: Page): Promise<void> {
  await page.waitForFunction(() => {
    const video = document.querySelector<HTMLVideoElement>('[data-testid=tile][data-local=false] video');
    return (video?.getVideoPlaybackQuality().totalVideoFrames ?? 0) > 10;
  });
  await page.waitForFunction(async () => {
    const { room } = window as unknown as { room: { getStats(): Promise<RTCStatsReport[]> } };
    for (const report of await room.getStats()) {
      for (const stats of report.values()) {
        if (stats.type === 'inbound-rtp' && stats.kind === 'audio' && stats.totalAudioEnergy > 0.0001) return true;
      }
    }
    return false;
  });
}

/** The id of the track by which the other's camera is shown. */
export const remoteVideoTrack = (page: Page): Promise<string | undefined> => page.evaluate(shownTrack);

/** Waits until the other's camera is shown by another track. */
export async function otherTrackThan(page: Page, former: string | undefined): Promise<void> {
  while ([former, undefined].includes(await remoteVideoTrack(page))) await page.waitForTimeout(50);
}

function shownTrack(): string | undefined {
  const video = document.querySelector<HTMLVideoElement>('[data-testid=tile][data-local=false] video');
  return (video?.srcObject as MediaStream | null)?.getVideoTracks()[0]?.id;
}
