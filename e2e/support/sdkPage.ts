import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type * as sdk from '@mediasoup-server/client';
import { bundle } from '@mediasoup-server/client/bundle';
import type { Browser, Page } from 'playwright-core';
import { openPages, waitForPage } from './browser.ts';
import type { Ending } from './stack.ts';

/** The globals of a page with the SDK. */
export interface SdkWindow {
  readonly sdk: typeof sdk;
  room: sdk.Room;
  watch: FrameWatch;
}

/** The frames that are shown in a page's video elements, as the browser decodes them. */
export interface FrameWatch {
  /** Shows a remote track in an element of its own and counts its frames from now on. */
  show(track: sdk.RemoteTrack): HTMLVideoElement;
  /** How many frames have been decoded of each track that is shown, by the track's id. */
  frames(): Record<string, number>;
  /** Looks at the videos in each animation frame from now on, and counts how often one of them is black. */
  countBlack(): { looks: number; black: number };
  /** The longest time between two frames of each track since the last call, in milliseconds. */
  longestGaps(): Record<string, number>;
}

let script: Promise<string> | undefined;

/** Opens pages that have the SDK and nothing else, in one Chromium: by default a new one. */
export async function openSdkPages(t: Ending, count: number, browser?: Browser): Promise<Page[]> {
  script ??= bundle("import './sdkWindow.ts';", { from: new URL('./', import.meta.url) });
  const pages = await openScriptPages(t, await script, count, browser);
  await Promise.all(pages.map(loaded));
  return pages;
}

/** Reloads pages for another test, so that they leave their rooms. */
export async function reloadSdkPages(pages: readonly Page[]): Promise<void> {
  await Promise.all(pages.map((page) => page.reload().then(() => loaded(page))));
}

const loaded = (page: Page): Promise<unknown> => waitForPage(page, 'the SDK is loaded', () => 'sdk' in globalThis);

/** Opens pages that have a script and nothing else, in one Chromium: by default a new one. */
export async function openScriptPages(t: Ending, code: string, count: number, browser?: Browser): Promise<Page[]> {
  const server = createServer((request, response) => {
    const isScript = request.url === '/script.js';
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
    response.end(
      isScript ? code : '<!doctype html><title>Test</title><script type="module" src="/script.js"></script>',
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(async () => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const pages = await openPages(t, `http://127.0.0.1:${port}/`, count, browser);
  for (const page of pages) page.on('pageerror', (error) => process.stderr.write(`page error: ${error.stack}\n`));
  return pages;
}

/** Joins a room with a microphone and by default a camera, and shows and plays what the others publish. */
export async function joinRoom(page: Page, options: sdk.JoinOptions, { camera = true } = {}): Promise<void> {
  await page.evaluate(join, [options, camera] as never);
}

async function join([options, camera]: [sdk.JoinOptions, boolean]): Promise<void> {
  const page = globalThis as unknown as SdkWindow;
  const room = new page.sdk.Room(options);
  page.room = room;
  room.on('trackSubscribed', (track) => {
    if (track.kind === 'video') page.watch.show(track);
    else track.attach(document.body.appendChild(document.createElement('audio')));
  });
  await room.join();
  const video = camera && { width: 640, height: 360 };
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video });
  await Promise.all(
    stream
      .getTracks()
      .map((track) =>
        room.publish(track, track.kind === 'video' ? { source: 'camera', simulcast: true } : { source: 'microphone' }),
      ),
  );
}

/** Sends a tone as the page's microphone: the fake one beeps too seldom for an active speaker. */
export async function speak(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const { room } = globalThis as unknown as SdkWindow;
    const context = new AudioContext();
    const voice = context.createOscillator();
    const out = context.createMediaStreamDestination();
    voice.connect(out);
    voice.start();
    const [track] = out.stream.getAudioTracks();
    const microphone = room.localTracks.find(({ kind }) => kind === 'audio');
    if (track) await microphone?.replaceTrack(track);
    await microphone?.unmute();
  });
}

/** Waits until this many videos of others have this many more decoded frames each. */
export async function seesMore(page: Page, others: number, frames = 15): Promise<void> {
  const from = await page.evaluate(shownFrames);
  const movedOn = (now: Record<string, number>) =>
    Object.entries(now).filter(([id, count]) => count >= (from[id] ?? 0) + frames).length;
  const what = `${others} videos have ${frames} more frames`;
  await waitForPage(page, what, shownFrames, undefined, (now) => movedOn(now) >= others);
}

const shownFrames = (): Record<string, number> => (globalThis as unknown as SdkWindow).watch.frames();
