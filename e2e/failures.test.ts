import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import type { Page } from 'playwright-core';
import { joinDemo, openBrowser, openPages, otherTrackThan, remoteVideoTrack, seesAndHears } from './testing/browser.ts';
import { type Daemon, Stack } from './testing/stack.ts';

/** Two people in a call on one of two daemons, and which one it is. */
async function callOnOneOfTwo(t: TestContext) {
  const stack = await Stack.start(t);
  const daemons = new Map<string, Daemon>();
  for (const id of ['daemon-a', 'daemon-b']) daemons.set(id, await stack.startDaemon(id));
  const pages = await Promise.all([openBrowser(t, stack.controlPlaneUrl), openBrowser(t, stack.controlPlaneUrl)]);
  for (const [index, page] of pages.entries()) await joinDemo(page, 'lobby', `Peer ${index}`);
  await Promise.all(pages.map(seesAndHears));
  const { daemonId } = await stack.assign('lobby', 'looking');
  const serving = daemons.get(daemonId);
  assert.ok(serving);
  return { stack, pages, serving, daemonId };
}

/** Waits until each sees and hears the other by another track than before, and answers how long each took, in ms. */
async function backAgain(pages: readonly Page[], before: readonly (string | undefined)[], since: number) {
  return Promise.all(
    pages.map(async (page, index) => {
      await otherTrackThan(page, before[index]);
      await seesAndHears(page);
      return Date.now() - since;
    }),
  );
}

test('when a daemon is killed its calls go on on another', async (t) => {
  const { stack, pages, serving, daemonId } = await callOnOneOfTwo(t);
  const before = await Promise.all(pages.map(remoteVideoTrack));
  const since = Date.now();
  serving.process.kill('SIGKILL');
  t.diagnostic(`media back after kill -9 of the daemon: ${await backAgain(pages, before, since)} ms`);
  assert.notEqual((await stack.assign('lobby', 'looking')).daemonId, daemonId);
});

test('when a daemon is killed its eight peers in two rooms meet again on another', async (t) => {
  const stack = await Stack.start(t);
  const first = await stack.startDaemon('daemon-a');
  const pages = await openPages(t, stack.controlPlaneUrl, 8);
  const rooms = ['red', 'blue'];
  await Promise.all(pages.map((page, index) => joinDemo(page, rooms[index % 2] ?? '', `Peer ${index}`)));
  const before = await Promise.all(pages.map((page) => page.evaluate(heardFrom, { others: 3, than: [] as string[] })));
  // Only now, so that all of them are on the one that is killed.
  const second = await stack.startDaemon('daemon-b');
  const since = Date.now();
  first.process.kill('SIGKILL');
  const outages = await Promise.all(
    pages.map(async (page, index) => {
      await page.evaluate(heardFrom, { others: 3, than: before[index] ?? [] });
      return Date.now() - since;
    }),
  );
  outages.sort((a, b) => a - b);
  t.diagnostic(`hearing all three others again after kill -9 of the daemon: ${outages} ms`);
  for (const room of rooms) assert.equal((await stack.assign(room, 'looking')).daemonId, 'daemon-b');
  assert.equal(second.process.exitCode, null);
});

test('a daemon that is drained ends when its calls have moved, and they go on on another', async (t) => {
  const { stack, pages, serving, daemonId } = await callOnOneOfTwo(t);
  const before = await Promise.all(pages.map(remoteVideoTrack));
  const since = Date.now();
  const ended = once(serving.process, 'exit');
  serving.process.kill('SIGTERM');
  t.diagnostic(`media on the other daemon after SIGTERM: ${await backAgain(pages, before, since)} ms`);
  assert.deepEqual(await ended, [0, null]);
  t.diagnostic(`the drained daemon ended ${Date.now() - since} ms after SIGTERM`);
  assert.notEqual((await stack.assign('lobby', 'looking')).daemonId, daemonId);
});

test('a call goes on while the control plane is gone', async (t) => {
  const { stack, pages } = await callOnOneOfTwo(t);
  const before = await Promise.all(pages.map(remoteVideoTrack));
  stack.controlPlane.kill('SIGKILL');
  for (const page of pages) {
    const frames = () => page.evaluate(decodedFrames);
    const from = await frames();
    while ((await frames()) < from + 60) await page.waitForTimeout(50);
  }
  assert.deepEqual(await Promise.all(pages.map(remoteVideoTrack)), before, 'nobody had to join again');
});

/** Waits until so many others are heard, over other streams than before. Answers what names the streams. */
async function heardFrom({ others, than }: { others: number; than: string[] }): Promise<string[]> {
  const { room } = window as unknown as { room: { getStats(): Promise<RTCStatsReport[]> } };
  for (;;) {
    const heard: string[] = [];
    for (const report of await room.getStats()) {
      for (const stats of report.values()) {
        const isSound = stats.type === 'inbound-rtp' && stats.kind === 'audio' && stats.packetsReceived > 5;
        if (isSound && !than.includes(stats.trackIdentifier)) heard.push(stats.trackIdentifier);
      }
    }
    if (heard.length >= others) return heard;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function decodedFrames(): number {
  const video = document.querySelector<HTMLVideoElement>('[data-testid=tile][data-local=false] video');
  return video?.getVideoPlaybackQuality().totalVideoFrames ?? 0;
}
