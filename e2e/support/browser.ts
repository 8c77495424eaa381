import { mkdir } from 'node:fs/promises';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import type { Ending } from './stack.ts';

/** Where Debian's package puts Chromium; CHROMIUM_BIN names another. */
const executablePath = process.env.CHROMIUM_BIN ?? '/usr/bin/chromium';
/** How long a page may take until something comes true, ms. */
const TIMEOUT_MS = 120_000;
const VIEWPORT = { width: 1280, height: 800 };

export interface BrowserOptions {
  /** A file that is the camera: while it is there, the camera is. By default a fake one that shows a moving picture. */
  readonly cameraFile?: string;
  /** Whether pages must be allowed to use camera and microphone; by default they are. */
  readonly asks?: boolean;
}

/** Starts a Chromium with a fake camera and a fake microphone that beeps. */
export async function launchBrowser(t: Ending, { cameraFile, asks = false }: BrowserOptions = {}): Promise<Browser> {
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
      ...(cameraFile === undefined ? [] : [`--use-file-for-fake-video-capture=${cameraFile}`]),
      ...(asks ? [] : ['--use-fake-ui-for-media-stream']),
      '--auto-select-desktop-capture-source=Entire screen',
      '--autoplay-policy=no-user-gesture-required',
      // On a machine without any network Chromium would have no candidate at all otherwise.
      '--allow-loopback-in-peer-connection',
    ],
  });
  t.after(() => browser.close());
  return browser;
}

/** Opens a page that knows nothing of the browser's other pages. */
export async function openPage(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ viewport: VIEWPORT, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(TIMEOUT_MS);
  await page.goto(url);
  return page;
}

/** Opens a page in a Chromium of its own. */
export async function openBrowser(t: Ending, url: string): Promise<Page> {
  return openPage(await launchBrowser(t), url);
}

/** Opens pages that know nothing of each other in one Chromium. */
export async function openPages(t: Ending, url: string, count: number): Promise<Page[]> {
  const browser = await launchBrowser(t);
  return Promise.all(Array.from({ length: count }, () => openPage(browser, url)));
}

/** Keeps a picture of the page among the artefacts, for people to look at. */
export async function keepPicture(page: Page, name: string): Promise<void> {
  await mkdir('artefacts/demo', { recursive: true });
  await page.screenshot({ path: `artefacts/demo/${name}.png`, animations: 'disabled' });
}

/** Fills in the demo page's form and sends it. */
export async function askToJoin(page: Page, room: string, name: string): Promise<void> {
  await page.locator('input[name=room]').fill(room);
  await page.locator('input[name=name]').fill(name);
  await page.locator('[data-testid=join-form] button[type=submit]').click();
}

/** Joins through the demo page. */
export async function joinDemo(page: Page, room: string, name: string): Promise<void> {
  await askToJoin(page, room, name);
  await connected(page);
}

export const connected = (page: Page): Promise<void> =>
  page.locator('[data-testid=state][data-status=connected]').waitFor();

/** Waits until what the page is asked comes true. Playwright's own `waitForFunction` takes a promise itself for true. */
export async function comesTrue(page: Page, ask: () => Promise<boolean>): Promise<void> {
  const until = performance.now() + TIMEOUT_MS;
  while (!(await page.evaluate(ask))) {
    if (performance.now() > until) throw new Error(`it did not come true: ${ask}`);
    await page.waitForTimeout(50);
  }
}

/** Waits until frames of the other's camera are decoded and sound with energy arrives. */
export async function seesAndHears(page: Page): Promise<void> {
  await page.waitForFunction(() => {
    const video = document.querySelector<HTMLVideoElement>('[data-testid=tile][data-local=false] video');
    return (video?.getVideoPlaybackQuality().totalVideoFrames ?? 0) > 10;
  });
  await comesTrue(page, async () => {
    const { room } = window as unknown as { room: { getStatsReports(): Promise<RTCStatsReport[]> } };
    for (const report of await room.getStatsReports()) {
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
