import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Room } from '@mediasoup-server/client';
import type { Page } from 'playwright-core';
import { joinDemo, openPages } from '../support/browser.ts';
import { commandsOf, Stack } from '../support/stack.ts';

/** AV1 is sent without simulcast. */
const CODECS = ['VP8', 'H264', 'VP9', 'AV1'] as const;

/** What this test reads from the page's window. */
type Window = { room: Room; video?: HTMLVideoElement };

/** Publishes a moving picture of 640x360. Returns the error where the browser lacks the codec. */
const publish = (page: Page, codec: (typeof CODECS)[number]): Promise<string | undefined> =>
  page.evaluate(async (name) => {
    const { room } = window as unknown as Window;
    const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 360 });
    const context = canvas.getContext('2d');
    setInterval(() => {
      if (!context) return;
      context.fillStyle = `hsl(${performance.now() / 10} 80% 50%)`;
      context.fillRect(0, 0, 640, 360);
      context.fillStyle = 'white';
      context.fillRect((performance.now() / 5) % 640, 100, 100, 100);
    }, 66);
    const [track] = canvas.captureStream(15).getVideoTracks();
    if (!track) return 'no track';
    return room.publish(track, { codec: name, simulcast: true, appData: { codec: name } }).then(
      () => undefined,
      (error: Error) => error.message,
    );
  }, codec);

/** Shows the track of a codec at a preferred layer, and waits for the height. Returns it. */
async function showAt(page: Page, codec: string, spatialLayer: number, is: 'small' | 'large'): Promise<number> {
  await page.waitForFunction(
    (name) =>
      (window as unknown as Window).room.remoteTracks.some(({ appData, track }) => track && appData.codec === name),
    codec,
  );
  await page.evaluate(
    async ([name, layer]) => {
      const shared = window as unknown as Window;
      const track = shared.room.remoteTracks.find(({ appData }) => appData.codec === name);
      if (!track) throw new Error('the track is gone');
      shared.video ??= Object.assign(document.body.appendChild(document.createElement('video')), { muted: true });
      if ((shared.video.srcObject as MediaStream | null)?.getVideoTracks()[0] !== track.track)
        track.attach(shared.video);
      await track.setPreferredLayers({ spatialLayer: layer });
    },
    [codec, spatialLayer] as const,
  );
  const shown = await page.waitForFunction((size) => {
    const height = (window as unknown as Window).video?.videoHeight ?? 0;
    if (size === 'large' ? height > 300 : height > 0 && height <= 200) return height;
    return false;
  }, is);
  return (await shown.jsonValue()) || 0;
}

test('each codec is sent in several sizes, and a receiver on another worker gets the size it prefers', async (t) => {
  const stack = await Stack.start(t);
  const daemon = await stack.startDaemon('daemon-a', {
    MEDIA_DAEMON_WORKERS: '2',
    MEDIA_DAEMON_SATURATED_CONSUMERS: '0',
  });
  const [alice, bob] = (await openPages(t, stack.controlPlaneUrl, 2)) as [Page, Page];
  await joinDemo(alice, 'lobby', 'Alice');
  await joinDemo(bob, 'lobby', 'Bob');
  const { routers } = await commandsOf(t, daemon).getRoom({ roomId: 'lobby' });
  assert.equal(routers.length, 2);
  let sent = 0;
  for (const codec of CODECS) {
    const missing = await publish(alice, codec);
    if (missing) {
      t.diagnostic(`${codec} not tried: ${missing}`);
      continue;
    }
    if (codec === 'AV1') {
      t.diagnostic(`AV1: ${await showAt(bob, codec, 0, 'large')} lines`);
      continue;
    }
    const small = await showAt(bob, codec, 0, 'small');
    const large = await showAt(bob, codec, 1, 'large');
    t.diagnostic(`${codec}: ${small} lines with the least layer preferred, ${large} with the greatest`);
    sent++;
    await alice.evaluate((name) => {
      const { room } = window as unknown as Window;
      return room.localTracks.find(({ appData }) => appData.codec === name)?.close();
    }, codec);
  }
  // VP8 and VP9 are in every Chromium.
  assert.ok(sent >= 2, `only ${sent} codecs could be tried`);
});
