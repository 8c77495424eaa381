import { after, test } from 'node:test';
import type { Page } from 'playwright-core';
import { joinRoom, openSdkPages, reloadSdkPages, type SdkWindow, seesMore } from '../support/sdkPage.ts';
import { Stack } from '../support/stack.ts';
import { waitUntil } from '../support/waitUntil.ts';

/** One fleet and two pages serve all these tests: each has a room of its own. */
const stack = await Stack.start({ after });
const daemon = await stack.startDaemon('daemon-a');
const [alice, bob] = (await openSdkPages({ after }, 2)) as [Page, Page];
let rooms = 0;

/** Alice and Bob join a room, and both publish. */
async function meet(bobs: object = {}): Promise<void> {
  await reloadSdkPages([alice, bob]);
  await waitUntil('no consumer is left', async () => (await consumers()) === 0);
  const common = { controlPlaneUrl: stack.controlPlaneUrl, roomId: `room-${++rooms}` };
  await joinRoom(alice, { ...common, peerId: 'alice' });
  await joinRoom(bob, { ...common, peerId: 'bob', ...bobs });
}

async function consumers(): Promise<number> {
  const metrics = await (await fetch(`http://127.0.0.1:${daemon.ready.metricsPort}/metrics`)).text();
  return Number(/^media_daemon_consumers (\d+)/m.exec(metrics)?.[1]);
}

/** Waits until Alice's camera satisfies a condition on Bob's page. */
const until = (bob: Page, condition: (track: RemoteCamera) => boolean): Promise<unknown> =>
  bob.waitForFunction(
    `(${condition})(room.remoteTracks.find(({ peerId, kind }) => peerId === 'alice' && kind === 'video') ?? {})`,
  );
type RemoteCamera = SdkWindow['room']['remoteTracks'][number];

test('without `autoSubscribe` a track is received from `subscribe` to `unsubscribe`', async () => {
  await meet({ autoSubscribe: false });
  const subscribe = (wanted: boolean) =>
    bob.evaluate((on) => {
      const { room } = globalThis as unknown as SdkWindow;
      const camera = room.remoteTracks.find(({ kind }) => kind === 'video');
      if (on) camera?.subscribe();
      else camera?.unsubscribe();
    }, wanted);
  await until(bob, (track) => track.state === 'unsubscribed' && track.track === undefined);
  await subscribe(true);
  await seesMore(bob, 1);
  const received = await consumers();
  await subscribe(false);
  await until(bob, (track) => track.state === 'unsubscribed' && track.track === undefined);
  await waitUntil('one consumer is gone', async () => (await consumers()) === received - 1);
  // The same element shows the track again.
  await subscribe(true);
  await seesMore(bob, 1);
});

test('a video is received in the size it is shown in, and not while it is off the screen', async () => {
  await meet();
  const style = (css: string) =>
    bob.evaluate((text) => {
      for (const video of document.querySelectorAll('video')) video.style.cssText = text;
    }, css);
  await seesMore(bob, 1);
  await style('width: 640px; height: 360px');
  await until(bob, (track) => track.layerCount === 2 && track.layers?.spatialLayer === 1);
  await style('width: 160px; height: 90px');
  await until(bob, (track) => track.layers?.spatialLayer === 0);
  await style('position: absolute; top: 5000px');
  await until(bob, (track) => track.paused && track.layers === undefined);
  await style('width: 640px; height: 360px');
  await until(bob, (track) => !track.paused && track.layers?.spatialLayer === 1);
  await seesMore(bob, 1);
});

test('preferred layers hold until they are unset', async () => {
  await meet();
  await bob.evaluate(() => {
    for (const video of document.querySelectorAll('video')) video.style.cssText = 'width: 640px; height: 360px';
  });
  await until(bob, (track) => track.layers?.spatialLayer === 1);
  await bob.evaluate(() => {
    const { room } = globalThis as unknown as SdkWindow;
    return room.remoteTracks.find(({ kind }) => kind === 'video')?.setPreferredLayers({ spatialLayer: 0 });
  });
  await until(bob, (track) => track.layers?.spatialLayer === 0);
  await bob.evaluate(() => {
    const { room } = globalThis as unknown as SdkWindow;
    return room.remoteTracks.find(({ kind }) => kind === 'video')?.setPreferredLayers(undefined);
  });
  await until(bob, (track) => track.layers?.spatialLayer === 1);
});

test('a camera that was muted while off the screen is reported as muted when it is shown again', async () => {
  await meet();
  const place = (css: string) =>
    bob.evaluate((text) => {
      for (const video of document.querySelectorAll('video')) video.style.cssText = text;
    }, css);
  const muteCamera = (muted: boolean) =>
    alice.evaluate((wanted) => {
      const { room } = globalThis as unknown as SdkWindow;
      const camera = room.localTracks.find(({ kind }) => kind === 'video');
      return wanted ? camera?.mute() : camera?.unmute();
    }, muted);
  await seesMore(bob, 1);
  await place('position: absolute; top: 5000px');
  await until(bob, (track) => track.paused && !track.muted);
  await muteCamera(true);
  await place('');
  await until(bob, (track) => !track.paused && track.muted);
  await muteCamera(false);
  await until(bob, (track) => !track.muted);
  await seesMore(bob, 1);
});
