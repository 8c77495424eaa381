import { mkdir } from 'node:fs/promises';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import type { Ending } from './stack.ts';
import { waitForValue } from './waitUntil.ts';

/** Debian's Chromium. CHROMIUM_BIN sets another. */
const executablePath = process.env.CHROMIUM_BIN ?? '/usr/bin/chromium';
/** Milliseconds that Playwright waits for an element or a condition. */
const TIMEOUT_MS = 120_000;
const VIEWPORT = { width: 1280, height: 800 };

export interface BrowserOptions {
  /** A file that is the camera while it exists. The default is a fake camera with a moving picture. */
  readonly cameraFile?: string;
  /** Whether pages need permission for camera and microphone. By default they have it. */
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
      // Without it, Chromium has no ICE candidate on a machine without a network.
      '--allow-loopback-in-peer-connection',
    ],
  });
  t.after(() => browser.close());
  return browser;
}

/** Opens a page in a context of its own, which shares nothing with other pages and is closed at the end. */
export async function openPage(
  t: Ending,
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Page> {
  const context = await browser.newContext({ viewport: VIEWPORT, ...options });
  t.after(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(TIMEOUT_MS);
  await page.goto(url);
  return page;
}

/** Opens pages with a context each in one Chromium, by default a new one. */
export async function openPages(t: Ending, url: string, count: number, browser?: Browser): Promise<Page[]> {
  const chromium = browser ?? (await launchBrowser(t));
  return Promise.all(Array.from({ length: count }, () => openPage(t, chromium, url)));
}

/** Saves a screenshot of the page in artefacts/demo, for people. */
export async function keepPicture(page: Page, name: string): Promise<void> {
  await mkdir('artefacts/demo', { recursive: true });
  await page.screenshot({ path: `artefacts/demo/${name}.png`, animations: 'disabled' });
}

/** Fills in the demo page's form and submits it. */
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

export const CONNECTED = '[data-testid=state][data-status=connected]';

export const connected = (page: Page): Promise<void> => page.locator(CONNECTED).waitFor();

/**
 * Waits until an element is there that the page has once the SDK has tried again. Shows the page meanwhile, because the SDK
 * of a page that becomes visible tries at once: what a test waits for must not depend on how long the SDK's pauses are.
 */
export async function waitImpatiently(page: Page, selector: string): Promise<void> {
  const look = async (wanted: string) => {
    if (document.querySelector(wanted)) return true;
    document.dispatchEvent(new Event('visibilitychange'));
    await new Promise((resolve) => setTimeout(resolve, 500));
    return false;
  };
  await waitForPage(page, `${selector} is there`, look, selector);
}

/**
 * Waits until what a page answers satisfies a condition. The page is asked again and again, and so needs no loop of its own,
 * which would have no deadline. Playwright's `waitForFunction` takes a promise itself for true.
 *
 * @param what the condition in words, for the error, which also shows the last answer.
 * @param ask runs in the page.
 * @returns the answer that satisfies the condition.
 */
export async function waitForPage<T, A = undefined>(
  page: Page,
  what: string,
  ask: (argument: A) => T | Promise<T>,
  argument?: A,
  satisfies: (answer: T) => boolean = Boolean,
): Promise<T> {
  let answer: T | undefined;
  const find = async () => {
    const now = await page.evaluate(ask as (argument: unknown) => T | Promise<T>, argument);
    answer = now;
    return satisfies(now) ? { now } : undefined;
  };
  return (await waitForValue(what, find, () => answer)).now;
}

/** Waits until frames of the other's camera are decoded and sound with energy arrives. */
export async function seesAndHears(page: Page): Promise<void> {
  const decoded = () => {
    const video = document.querySelector<HTMLVideoElement>('[data-testid=tile][data-local=false] video');
    return video?.getVideoPlaybackQuality().totalVideoFrames ?? 0;
  };
  await waitForPage(page, "10 frames of the other's camera are decoded", decoded, undefined, (frames) => frames > 10);
  await waitForPage(page, 'sound with energy arrives', async () => {
    const { room } = window as unknown as { room: { getStatsReports(): Promise<RTCStatsReport[]> } };
    for (const report of await room.getStatsReports()) {
      for (const stats of report.values()) {
        if (stats.type === 'inbound-rtp' && stats.kind === 'audio' && stats.totalAudioEnergy > 0.0001) return true;
      }
    }
    return false;
  });
}

/** The id of the track that shows the other's camera. */
export const remoteVideoTrack = (page: Page): Promise<string | undefined> => page.evaluate(shownTrack);

/** Waits until another track shows the other's camera. */
export async function otherTrackThan(page: Page, former: string | undefined): Promise<void> {
  const isOther = (track: string | undefined) => track !== undefined && track !== former;
  await waitForPage(page, `another track than ${former} is shown`, shownTrack, undefined, isOther);
}

function shownTrack(): string | undefined {
  const video = document.querySelector<HTMLVideoElement>('[data-testid=tile][data-local=false] video');
  return (video?.srcObject as MediaStream | null)?.getVideoTracks()[0]?.id;
}
