import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { bundle } from '@mediasoup-server/client/bundle';
import type { Page } from 'playwright-core';
import { launchBrowser } from '../support/browser.ts';
import { codeIn } from '../support/codeIn.ts';
import { joinRoom, openScriptPages, openSdkPages, seesMore } from '../support/sdkPage.ts';
import { Stack } from '../support/stack.ts';

/** The folder from which the pages' packages are resolved. */
const from = new URL('./', import.meta.url);

/** One Chromium and one fleet serve these tests: each has a room of its own. */
const browser = await launchBrowser({ after });
const stack = await Stack.start({ after });
await stack.startDaemon('daemon-a');

/** Waits until this many videos and audios play on the page. */
const plays = (page: Page, videos: number, audios: number): Promise<unknown> =>
  page.waitForFunction(
    ([video, audio]) => {
      const playing = (name: 'video' | 'audio') =>
        [...document.querySelectorAll(name)].filter(
          ({ currentTime, readyState }) => currentTime > 0.3 && readyState >= 2,
        );
      return playing('video').length === video && playing('audio').length === audio;
    },
    [videos, audios] as const,
  );

test('the ten lines of the getting-started page make a call, and remove the elements of a peer that leaves', async (t) => {
  const code = (await codeIn('docs/guide/browser-sdk.md')).replace('https://meet.example.org', stack.controlPlaneUrl);
  assert.ok(code.trimEnd().split('\n').length <= 12, 'they are ten lines, and two of layout');
  const [alice, bob] = (await openScriptPages(t, await bundle(code, { from }), 2, browser)) as [Page, Page];
  await Promise.all([plays(alice, 1, 1), plays(bob, 1, 1)]);
  await bob.close();
  await plays(alice, 0, 0);
});

test('the page without the SDK sends to and receives from its like and the SDK, and leaves', async (t) => {
  const code = await codeIn('docs/guide/bare-clients.md');
  assert.ok(code.split('\n').length < 80);
  const script = await bundle(`${code}; globalThis.join = join;`, { from });
  const bare = await openScriptPages(t, script, 2, browser);
  const [sdk] = (await openSdkPages(t, 1, browser)) as [Page];
  for (const [index, page] of bare.entries()) {
    await page.waitForFunction(() => 'join' in globalThis);
    await page.evaluate(joinBare, { controlPlaneUrl: stack.controlPlaneUrl, roomId: 'room', peerId: `bare-${index}` });
  }
  await joinRoom(sdk, { controlPlaneUrl: stack.controlPlaneUrl, roomId: 'room', peerId: 'sdk' });
  await Promise.all([...bare.map((page) => plays(page, 2, 2)), seesMore(sdk, 2)]);
  await bare[0]?.evaluate(() => (globalThis as unknown as { leave(): void }).leave());
  await plays(bare[1] as Page, 1, 1);
});

async function joinBare(who: object): Promise<void> {
  const page = globalThis as unknown as { join(options: object): Promise<() => void>; leave: () => void };
  const elements = new Map<MediaStreamTrack, HTMLMediaElement>();
  page.leave = await page.join({
    ...who,
    stream: await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 320, height: 180 } }),
    onTrack(track: MediaStreamTrack) {
      const element = document.body.appendChild(document.createElement(track.kind as 'audio' | 'video'));
      element.autoplay = true;
      element.srcObject = new MediaStream([track]);
      elements.set(track, element);
    },
    onTrackEnded: (track: MediaStreamTrack) => elements.get(track)?.remove(),
    onClosed() {},
  });
}
