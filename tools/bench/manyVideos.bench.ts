/**
 * Prints the CPU time of a browser page with 25 remote videos, with the SDK and without it (docs/guide/bare-clients.md). Both
 * receive the same videos from the same daemon at the same time, each in its own Chromium.
 */
import { test } from 'node:test';
import { bundle } from '@mediasoup-server/client/bundle';
import type { Page } from 'playwright-core';
import { codeIn } from '../../e2e/support/codeIn.ts';
import { openScriptPages, openSdkPages, type SdkWindow } from '../../e2e/support/sdkPage.ts';
import { Stack } from '../../e2e/support/stack.ts';

const SECONDS = Number(process.env.SECONDS ?? 20);
const VIDEOS = 25;

test(`processor time of a page with ${VIDEOS} remote videos`, async (t) => {
  const stack = await Stack.start(t);
  await stack.startDaemon('daemon-a', { MEDIA_DAEMON_MAX_PEER_PRODUCERS: String(VIDEOS) });
  const options = { controlPlaneUrl: stack.controlPlaneUrl, roomId: 'room' };
  const [sender] = await openSdkPages(t, 1);
  await sender?.evaluate(sendVideos, [{ ...options, peerId: 'sender' }, VIDEOS] as const);
  const script = await bundle(`${await codeIn('docs/guide/bare-clients.md')}; globalThis.join = join;`, {
    from: new URL('./', import.meta.url),
  });
  const [bare] = await openScriptPages(t, script, 1);
  const [sdk] = await openSdkPages(t, 1);
  if (!bare || !sdk) throw new Error('a page is missing');
  await bare.waitForFunction(() => 'join' in globalThis);
  await Promise.all([bare.evaluate(showByHand, options), sdk.evaluate(showBySdk, options)]);
  for (const page of [bare, sdk]) {
    await page.waitForFunction(
      (count) => [...document.querySelectorAll('video')].filter(({ currentTime }) => currentTime > 1).length === count,
      VIDEOS,
    );
  }
  const before = await Promise.all([processorTime(sdk), processorTime(bare)]);
  await sdk.waitForTimeout(SECONDS * 1000);
  const after = await Promise.all([processorTime(sdk), processorTime(bare)]);
  const [a = 0, b = 0] = after.map((time, index) => ((time - (before[index] ?? 0)) / SECONDS) * 100);
  process.stdout.write(
    `${VIDEOS} remote videos: SDK ${a.toFixed(1)} %, bare ${b.toFixed(1)} % of a core, ratio ${(a / b).toFixed(2)}\n`,
  );
});

/** The CPU seconds of all processes of a page's browser. */
async function processorTime(page: Page): Promise<number> {
  const inspector = await page.context().browser()?.newBrowserCDPSession();
  const { processInfo } = (await inspector?.send('SystemInfo.getProcessInfo')) ?? { processInfo: [] };
  await inspector?.detach();
  return processInfo.reduce((sum, { cpuTime }) => sum + cpuTime, 0);
}

async function sendVideos([options, count]: readonly [
  { controlPlaneUrl: string; roomId: string; peerId: string },
  number,
]) {
  const { sdk } = globalThis as unknown as SdkWindow;
  const room = await sdk.Room.join(options);
  const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 160, height: 120, frameRate: 15 } });
  const [camera] = stream.getVideoTracks();
  for (let video = 0; camera && video < count; video++) await room.publish(camera.clone());
}

async function showBySdk(options: { controlPlaneUrl: string; roomId: string }): Promise<void> {
  const { sdk } = globalThis as unknown as SdkWindow;
  const room = new sdk.Room({ ...options, peerId: 'sdk' });
  room.on('trackSubscribed', (track) => {
    const video = document.body.appendChild(document.createElement('video'));
    video.style.cssText = 'width: 160px; height: 120px';
    video.muted = true;
    track.attach(video);
  });
  await room.join();
}

async function showByHand(options: object): Promise<void> {
  const page = globalThis as unknown as { join(options: object): Promise<() => void> };
  await page.join({
    ...options,
    peerId: 'bare',
    onTrack(track: MediaStreamTrack) {
      const video = document.body.appendChild(document.createElement('video'));
      video.style.cssText = 'width: 160px; height: 120px';
      video.muted = true;
      video.autoplay = true;
      video.srcObject = new MediaStream([track]);
    },
    onTrackEnded() {},
    onClosed() {},
  });
}
