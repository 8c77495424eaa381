import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { SignalingClient } from '@mediasoup-server/media-daemon/testing/SignalingClient';
import type { Page } from 'playwright-core';
import { joinDemo, openBrowser, otherTrackThan, remoteVideoTrack, seesAndHears } from '../support/browser.ts';
import { failureTable, leftOver } from '../support/failureTable.ts';
import { joinRoom, openSdkPages } from '../support/sdkPage.ts';
import { commandsOf, type Daemon, nextTick, Stack } from '../support/stack.ts';
import { waitUntil } from '../support/waitUntil.ts';

const table = failureTable();

/**
 * Milliseconds until a joiner is let into a room, on another daemon than one that it would not do on. It stays until another
 * is there: the going of the only one would close the room, which is then placed anew.
 */
async function untilJoined(stack: Stack, roomId: string, notOn?: string): Promise<number> {
  const since = Date.now();
  for (;;) {
    const assignment = await stack.assign(roomId, 'joiner').catch(() => undefined);
    const joiner =
      assignment && assignment.daemonId !== notOn
        ? await SignalingClient.openUrl(assignment.url).catch(() => undefined)
        : undefined;
    const joined = await joiner?.request('joinRoom', { roomId, peerId: 'joiner' }).catch(() => undefined);
    const tookMs = Date.now() - since;
    if (joined?.peers.length === 0) await joiner?.notified('peerJoined');
    joiner?.close();
    if (joined) return tookMs;
    await nextTick();
  }
}

/** The outages of several peers in words. */
function distribution(outages: readonly number[]): string {
  const sorted = outages.toSorted((a, b) => a - b);
  const share = (of: number) => sorted[Math.ceil(of * sorted.length) - 1];
  return `${share(0.5)} ms median, ${share(0.95)} ms p95 (${sorted.join(', ')})`;
}

/** Two people in a call on one of two daemons, and which one it is. */
async function callOnOneOfTwo(t: TestContext) {
  const stack = await Stack.start(t);
  const daemons = new Map<string, Daemon>();
  for (const id of ['daemon-a', 'daemon-b'])
    daemons.set(id, await stack.startDaemon(id, { MEDIA_DAEMON_WORKERS: '2' }));
  const pages = await Promise.all([openBrowser(t, stack.controlPlaneUrl), openBrowser(t, stack.controlPlaneUrl)]);
  for (const [index, page] of pages.entries()) await joinDemo(page, 'lobby', `Peer ${index}`);
  await Promise.all(pages.map(seesAndHears));
  const { daemonId } = await stack.assign('lobby', 'looking');
  const serving = daemons.get(daemonId);
  assert.ok(serving);
  return { stack, pages, daemons, serving, daemonId };
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
  const { stack, pages, daemons, serving, daemonId } = await callOnOneOfTwo(t);
  const before = await Promise.all(pages.map(remoteVideoTrack));
  const since = Date.now();
  serving.process.kill('SIGKILL');
  const [media, joiners] = await Promise.all([backAgain(pages, before, since), untilJoined(stack, 'lobby', daemonId)]);
  const left = await leftOver(t, stack, 'lobby', daemons);
  table.add('daemon killed (kill -9), two peers', `${media.join(', ')} ms`, `${joiners} ms`, left);
  assert.notEqual((await stack.assign('lobby', 'looking')).daemonId, daemonId);
});

test('when a daemon is killed its eight peers in two rooms meet again on another', async (t) => {
  const stack = await Stack.start(t);
  const first = await stack.startDaemon('daemon-a');
  // Eight cameras, or eight pages that draw, would measure how fast this machine encodes and draws.
  const pages = await openSdkPages(t, 8);
  const rooms = ['red', 'blue'];
  const { controlPlaneUrl } = stack;
  await Promise.all(
    pages.map((page, index) => {
      const roomId = rooms[index % 2] ?? '';
      return joinRoom(page, { controlPlaneUrl, roomId, peerId: `peer-${index}` }, { camera: false });
    }),
  );
  const before = await Promise.all(pages.map((page) => page.evaluate(heardFrom, { others: 3, than: [] as string[] })));
  // Only now, so that all of them are on the one that is killed.
  const second = await stack.startDaemon('daemon-b');
  const since = Date.now();
  first.process.kill('SIGKILL');
  const [joiners, outages] = await Promise.all([
    untilJoined(stack, 'red', 'daemon-a'),
    Promise.all(
      pages.map(async (page, index) => {
        await page.evaluate(heardFrom, { others: 3, than: before[index] ?? [] });
        return Date.now() - since;
      }),
    ),
  ]);
  const daemons = [['daemon-a', first] as const, ['daemon-b', second] as const];
  const left = `${await leftOver(t, stack, 'red', daemons)}; ${await leftOver(t, stack, 'blue', daemons)}`;
  table.add('daemon killed (kill -9), eight peers in two rooms', distribution(outages), `${joiners} ms`, left);
  for (const room of rooms) assert.equal((await stack.assign(room, 'looking')).daemonId, 'daemon-b');
  assert.equal(second.process.exitCode, null);
});

test('when a media worker is killed its calls go on on another of the same daemon', async (t) => {
  const { stack, pages, daemons, serving, daemonId } = await callOnOneOfTwo(t);
  const commands = commandsOf(t, serving);
  const pidsOf = async () => (await commands.getInfo({})).workers.map(({ pid }) => pid);
  const pids = await pidsOf();
  const before = await Promise.all(pages.map(remoteVideoTrack));
  const since = Date.now();
  await serving.killWorkers();
  const [media, joiners] = await Promise.all([backAgain(pages, before, since), untilJoined(stack, 'lobby')]);
  assert.equal((await stack.assign('lobby', 'looking')).daemonId, daemonId);
  await waitUntil('the worker is replaced', async () => (await pidsOf()).length >= pids.length);
  assert.equal((await pidsOf()).filter((pid) => pids.includes(pid)).length, 1, 'the other worker is untouched');
  const left = await leftOver(t, stack, 'lobby', daemons);
  table.add('media worker killed (kill -9)', `${media.join(', ')} ms`, `${joiners} ms`, left);
});

test('a daemon that is drained ends when its calls have moved, and they go on on another', async (t) => {
  const { stack, pages, daemons, serving, daemonId } = await callOnOneOfTwo(t);
  const before = await Promise.all(pages.map(remoteVideoTrack));
  const since = Date.now();
  const ended = once(serving.process, 'exit');
  serving.process.kill('SIGTERM');
  const [media, joiners] = await Promise.all([backAgain(pages, before, since), untilJoined(stack, 'lobby', daemonId)]);
  assert.deepEqual(await ended, [0, null]);
  t.diagnostic(`the drained daemon ended ${Date.now() - since} ms after SIGTERM`);
  const left = await leftOver(t, stack, 'lobby', daemons);
  table.add('daemon drained (SIGTERM)', `${media.join(', ')} ms apart at most`, `${joiners} ms`, left);
  assert.notEqual((await stack.assign('lobby', 'looking')).daemonId, daemonId);
});

test('a call goes on while the control plane is gone', async (t) => {
  const { stack, pages, daemons } = await callOnOneOfTwo(t);
  const before = await Promise.all(pages.map(remoteVideoTrack));
  stack.controlPlane.kill('SIGKILL');
  for (const page of pages) {
    const frames = () => page.evaluate(decodedFrames);
    const from = await frames();
    while ((await frames()) < from + 60) await page.waitForTimeout(50);
  }
  assert.deepEqual(await Promise.all(pages.map(remoteVideoTrack)), before, 'nobody had to join again');
  await stack.restartControlPlane();
  const joiners = await untilJoined(stack, 'lobby');
  const left = await leftOver(t, stack, 'lobby', daemons);
  table.add('control plane killed (kill -9)', 'none', `until it is back, and ${joiners} ms`, left);
});

/** Waits until so many others are heard, over other streams than before. Answers what names the streams. */
async function heardFrom({ others, than }: { others: number; than: string[] }): Promise<string[]> {
  const { room } = window as unknown as { room: { getStatsReports(): Promise<RTCStatsReport[]> } };
  for (;;) {
    const heard: string[] = [];
    for (const report of await room.getStatsReports()) {
      for (const stats of report.values()) {
        const isSound = stats.type === 'inbound-rtp' && stats.kind === 'audio' && stats.packetsReceived > 5;
        if (isSound && !than.includes(stats.trackIdentifier)) heard.push(stats.trackIdentifier);
      }
    }
    if (heard.length >= others) return heard;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

function decodedFrames(): number {
  const video = document.querySelector<HTMLVideoElement>('[data-testid=tile][data-local=false] video');
  return video?.getVideoPlaybackQuality().totalVideoFrames ?? 0;
}
