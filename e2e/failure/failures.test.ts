import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, type TestContext, test } from 'node:test';
import { SignalingClient } from '@mediasoup-server/media-daemon/testing/SignalingClient';
import type { Page } from 'playwright-core';
import {
  joinDemo,
  launchBrowser,
  openPages,
  otherTrackThan,
  remoteVideoTrack,
  seesAndHears,
  waitForPage,
} from '../support/browser.ts';
import { failureTable, leftOver } from '../support/failureTable.ts';
import { joinRoom, openSdkPages } from '../support/sdkPage.ts';
import { commandsOf, Stack } from '../support/stack.ts';
import { waitForSuccess, waitUntil } from '../support/waitUntil.ts';

const table = failureTable();
/** One Chromium serves these tests. */
const browser = await launchBrowser({ after });

/**
 * Milliseconds until a joiner is let into a room, on another daemon than one that it would not do on. It stays until another
 * is there: the going of the only one would close the room, which is then placed anew.
 */
async function untilJoined(stack: Stack, roomId: string, notOn?: string): Promise<number> {
  const since = Date.now();
  return waitForSuccess(`a joiner is let into "${roomId}"`, async () => {
    const assignment = await stack.assign(roomId, 'joiner');
    assert.notEqual(assignment.daemonId, notOn);
    const joiner = await SignalingClient.openUrl(assignment.url);
    try {
      const { peers } = await joiner.request('joinRoom', { roomId, peerId: 'joiner' });
      const tookMs = Date.now() - since;
      if (peers.length === 0) await joiner.notified('peerJoined');
      return tookMs;
    } finally {
      joiner.close();
    }
  });
}

/** Summarizes the outages of several peers. */
function distribution(outages: readonly number[]): string {
  const sorted = outages.toSorted((a, b) => a - b);
  const share = (of: number) => sorted[Math.ceil(of * sorted.length) - 1];
  return `${share(0.5)} ms median, ${share(0.95)} ms p95 (${sorted.join(', ')})`;
}

/** Two people in a call on one of two daemons, which is `serving`. */
async function callOnOneOfTwo(t: TestContext) {
  const stack = await Stack.start(t);
  const [daemons, pages] = await Promise.all([
    stack.startDaemons(['daemon-a', 'daemon-b'], { MEDIA_DAEMON_WORKERS: '2' }),
    openPages(t, stack.controlPlaneUrl, 2, browser),
  ]);
  await Promise.all(pages.map((page, index) => joinDemo(page, 'lobby', `Peer ${index}`)));
  await Promise.all(pages.map(seesAndHears));
  const { daemonId } = await stack.assign('lobby', 'looking');
  const serving = daemons.get(daemonId);
  assert.ok(serving);
  return { stack, pages, daemons, serving, daemonId };
}

/** Waits until each sees and hears the other over another track. Returns how long each took, in ms. */
async function backAgain(pages: readonly Page[], before: readonly (string | undefined)[], since: number) {
  return Promise.all(
    pages.map(async (page, index) => {
      await otherTrackThan(page, before[index]);
      await seesAndHears(page);
      return Date.now() - since;
    }),
  );
}

test('a call continues on another daemon when its daemon is killed', async (t) => {
  const { stack, pages, daemons, serving, daemonId } = await callOnOneOfTwo(t);
  const before = await Promise.all(pages.map(remoteVideoTrack));
  const since = Date.now();
  serving.process.kill('SIGKILL');
  const [media, joiners] = await Promise.all([backAgain(pages, before, since), untilJoined(stack, 'lobby', daemonId)]);
  const left = await leftOver(t, stack, 'lobby', daemons);
  table.add('daemon killed (kill -9), two peers', `${media.join(', ')} ms`, `${joiners} ms`, left);
  assert.notEqual((await stack.assign('lobby', 'looking')).daemonId, daemonId);
});

test('eight peers in two rooms meet again on another daemon when theirs is killed', async (t) => {
  const stack = await Stack.start(t);
  const first = await stack.startDaemon('daemon-a');
  // With eight cameras, encoding on this machine would take longer than the outage.
  const pages = await openSdkPages(t, 8, browser);
  const rooms = ['red', 'blue'];
  const { controlPlaneUrl } = stack;
  await Promise.all(
    pages.map((page, index) => {
      const roomId = rooms[index % 2] ?? '';
      return joinRoom(page, { controlPlaneUrl, roomId, peerId: `peer-${index}` }, { camera: false });
    }),
  );
  const before = await Promise.all(pages.map((page) => hears(page, 3)));
  // Started only now, so that all of them are on the daemon that is killed.
  const second = await stack.startDaemon('daemon-b');
  const since = Date.now();
  first.process.kill('SIGKILL');
  const [joiners, outages] = await Promise.all([
    untilJoined(stack, 'red', 'daemon-a'),
    Promise.all(
      pages.map(async (page, index) => {
        await hears(page, 3, before[index]);
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

test('a call continues on another worker of the daemon when its worker is killed', async (t) => {
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

test('a drained daemon ends once its calls have moved to another', async (t) => {
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

test('a call continues while the control plane is down', async (t) => {
  const { stack, pages, daemons } = await callOnOneOfTwo(t);
  const before = await Promise.all(pages.map(remoteVideoTrack));
  stack.controlPlane.kill('SIGKILL');
  for (const page of pages) {
    const frames = () => page.evaluate(decodedFrames);
    const from = await frames();
    await waitUntil('60 more frames are decoded', async () => (await frames()) >= from + 60);
  }
  assert.deepEqual(await Promise.all(pages.map(remoteVideoTrack)), before, 'nobody had to join again');
  await stack.restartControlPlane();
  const joiners = await untilJoined(stack, 'lobby');
  const left = await leftOver(t, stack, 'lobby', daemons);
  table.add('control plane killed (kill -9)', 'none', `until it is back, and ${joiners} ms`, left);
});

/** Waits until a page hears this many others over new streams. Returns the streams' track identifiers. */
function hears(page: Page, others: number, than: readonly string[] = []): Promise<string[]> {
  return waitForPage(page, `${others} others are heard`, heardStreams, than, ({ length }) => length >= others);
}

async function heardStreams(than: readonly string[]): Promise<string[]> {
  const { room } = window as unknown as { room: { getStatsReports(): Promise<RTCStatsReport[]> } };
  const heard: string[] = [];
  for (const report of await room.getStatsReports()) {
    for (const stats of report.values()) {
      const isSound = stats.type === 'inbound-rtp' && stats.kind === 'audio' && stats.packetsReceived > 5;
      if (isSound && !than.includes(stats.trackIdentifier)) heard.push(stats.trackIdentifier);
    }
  }
  return heard;
}

function decodedFrames(): number {
  const video = document.querySelector<HTMLVideoElement>('[data-testid=tile][data-local=false] video');
  return video?.getVideoPlaybackQuality().totalVideoFrames ?? 0;
}
