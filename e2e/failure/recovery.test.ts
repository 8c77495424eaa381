import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import type { Page } from 'playwright-core';
import { joinRoom, openSdkPages, type SdkWindow, seesMore, speak } from '../support/sdkPage.ts';
import { type Daemon, nextTick, Stack } from '../support/stack.ts';
import { TcpProxy } from '../support/TcpProxy.ts';

/** What must stay the same objects: it marks them, and later looks for the marks. */
function mark(): void {
  const { room } = globalThis as unknown as SdkWindow;
  const marked = globalThis as unknown as { marked: object[]; events: string[] };
  marked.marked = [...room.localTracks, ...room.remoteTracks];
  marked.events = [];
  for (const name of ['peerJoined', 'peerLeft', 'trackSubscribed', 'trackUnsubscribed'] as const) {
    room.on(name, () => marked.events.push(name));
  }
  room.on('stateChanged', ({ status }) => marked.events.push(status));
}

function marks(): { same: boolean; events: string[] } {
  const { room } = globalThis as unknown as SdkWindow;
  const { marked, events } = globalThis as unknown as { marked: object[]; events: string[] };
  const now = [...room.localTracks, ...room.remoteTracks];
  return { same: now.length === marked.length && now.every((track) => marked.includes(track)), events };
}

type Seen = { looks: number; black: number };

function countBlack(): void {
  (globalThis as unknown as { seen: Seen }).seen = (globalThis as unknown as SdkWindow).watch.countBlack();
}

/** From now on the page's sockets go to the other port of each pair. */
function connectThrough(ports: readonly (readonly [string, string])[]): void {
  const Original = globalThis.WebSocket;
  globalThis.WebSocket = class extends Original {
    constructor(address: string | URL, protocols?: string | string[]) {
      const url = new URL(address);
      url.port = new Map(ports).get(url.port) ?? url.port;
      super(url, protocols);
    }
  };
}

const gaps = (page: Page): Promise<number> =>
  page.evaluate(() => Math.max(...Object.values((globalThis as unknown as SdkWindow).watch.longestGaps())));

/** A call of two in one room, whose sockets go through relays. */
async function call(t: TestContext, daemonIds: readonly string[], settings: Record<string, string> = {}) {
  const stack = await Stack.start(t);
  const daemons = new Map<string, Daemon>();
  const relays = new Map<string, TcpProxy>();
  for (const daemonId of daemonIds) {
    const daemon = await stack.startDaemon(daemonId, settings);
    daemons.set(daemonId, daemon);
    relays.set(daemonId, await TcpProxy.start(t, Number(new URL(daemon.url).port)));
  }
  const pages = await openSdkPages(t, 2);
  const ports = [...daemons].map(([id, { url }]) => [new URL(url).port, String(relays.get(id)?.port)] as const);
  for (const page of pages) await page.evaluate(connectThrough, ports);
  for (const [index, page] of pages.entries()) {
    await joinRoom(page, { controlPlaneUrl: stack.controlPlaneUrl, roomId: 'room', peerId: `peer-${index}` });
  }
  await Promise.all(pages.map((page) => seesMore(page, 1)));
  await Promise.all(pages.map((page) => page.evaluate(mark)));
  await Promise.all(pages.map(gaps));
  const { daemonId } = await stack.assign('room', 'looking');
  const [serving, relay] = [daemons.get(daemonId), relays.get(daemonId)];
  assert.ok(serving && relay);
  return { stack, pages, daemons, serving, relay, daemonId };
}

test('a socket that is dropped is resumed, and media flows on', async (t) => {
  const { pages, relay } = await call(t, ['daemon-a']);
  for (let time = 0; time < 3; time++) {
    relay.reset();
    for (const page of pages) {
      await page.waitForFunction((drops) => {
        const { events } = globalThis as unknown as { events: string[] };
        return events.filter((event) => event === 'connected').length === drops;
      }, time + 1);
    }
  }
  await Promise.all(pages.map((page) => seesMore(page, 1)));
  t.diagnostic(`longest time without a frame: ${(await Promise.all(pages.map(gaps))).join(', ')} ms`);
  for (const page of pages) {
    const { same, events } = await page.evaluate(marks);
    assert.ok(same, 'the same tracks');
    assert.deepEqual(events, ['resuming', 'connected', 'resuming', 'connected', 'resuming', 'connected']);
  }
});

test('when the daemon is killed the same tracks go on on another', async (t) => {
  const { pages, serving, stack, daemonId } = await call(t, ['daemon-a', 'daemon-b']);
  await Promise.all(pages.map((page) => page.evaluate(countBlack)));
  serving.process.kill('SIGKILL');
  while ((await stack.assign('room', 'looking').catch(() => ({ daemonId }))).daemonId === daemonId) await nextTick();
  await Promise.all(pages.map((page) => page.waitForFunction(isConnectedElsewhere, daemonId)));
  await Promise.all(pages.map((page) => seesMore(page, 1)));
  t.diagnostic(`frozen video: ${(await Promise.all(pages.map(gaps))).join(', ')} ms`);
  for (const page of pages) {
    const { looks, black } = await page.evaluate(() => (globalThis as unknown as { seen: Seen }).seen);
    assert.ok(looks > 10 && black === 0, `${black} of ${looks} times the video was black`);
    const { same, events } = await page.evaluate(marks);
    assert.ok(same, 'the same tracks');
    assert.deepEqual(
      events.filter((event) => event.startsWith('track') || event.startsWith('peer')),
      [],
    );
  }
});

test('when the daemon is drained the same tracks go on on another, and media is not interrupted', async (t) => {
  const { pages, serving, daemonId } = await call(t, ['daemon-a', 'daemon-b']);
  const ended = once(serving.process, 'exit');
  serving.process.kill('SIGTERM');
  await Promise.all(pages.map((page) => page.waitForFunction(isConnectedElsewhere, daemonId)));
  assert.deepEqual(await ended, [0, null]);
  await Promise.all(pages.map((page) => seesMore(page, 1)));
  t.diagnostic(`longest time without a frame: ${(await Promise.all(pages.map(gaps))).join(', ')} ms`);
  for (const page of pages) {
    const { same, events } = await page.evaluate(marks);
    assert.ok(same, 'the same tracks');
    assert.deepEqual([...new Set(events)], ['moving', 'connected']);
  }
});

test('who has moved is told who speaks of those who have and of those who have not', async (t) => {
  const patient = { MEDIA_DAEMON_MOVE_DEADLINE_MS: '120000' };
  const { pages, daemons, serving, daemonId } = await call(t, ['daemon-a', 'daemon-b'], patient);
  const [early, late] = pages as [Page, Page];
  const next = [...daemons].find(([id]) => id !== daemonId)?.[1];
  assert.ok(next);
  const { port } = new URL(next.url);
  const held = await TcpProxy.start(t, Number(port));
  held.cut();
  await late.evaluate(connectThrough, [[port, String(held.port)] as const]);
  await early.evaluate(mute);
  await speak(late);
  await early.waitForFunction(isToldOf, ['peer-1']);
  serving.process.kill('SIGTERM');
  await early.waitForFunction(isConnectedElsewhere, daemonId);
  await speak(early);
  await early.waitForFunction(isToldOf, ['peer-0', 'peer-1']);
  assert.equal(await late.evaluate(isConnectedElsewhere, daemonId), false);
  held.heal();
  await once(serving.process, 'exit');
  await Promise.all(pages.map((page) => page.waitForFunction(isToldOf, ['peer-0', 'peer-1'])));
});

test('when the media worker is killed the same tracks go on on another worker', async (t) => {
  const { pages, serving } = await call(t, ['daemon-a']);
  await serving.killWorkers();
  for (const page of pages) {
    await page.waitForFunction(() => (globalThis as unknown as { events: string[] }).events.includes('reconnecting'));
    await page.waitForFunction(() => (globalThis as unknown as SdkWindow).room.state.status === 'connected');
  }
  await Promise.all(pages.map((page) => seesMore(page, 1)));
  t.diagnostic(`frozen video: ${(await Promise.all(pages.map(gaps))).join(', ')} ms`);
  for (const page of pages) assert.ok((await page.evaluate(marks)).same, 'the same tracks');
});

test('when the network changes ICE is restarted, and media flows on', async (t) => {
  const { pages } = await call(t, ['daemon-a']);
  for (const page of pages) {
    await page.evaluate(noteIceRestarts);
    await page.evaluate(() => dispatchEvent(new Event('online')));
    await page.waitForFunction(() => (globalThis as unknown as { restarts: number }).restarts === 2);
  }
  await Promise.all(pages.map((page) => page.waitForFunction(isConnected)));
  await Promise.all(pages.map((page) => seesMore(page, 1)));
  t.diagnostic(`longest time without a frame: ${(await Promise.all(pages.map(gaps))).join(', ')} ms`);
  for (const page of pages) assert.ok((await page.evaluate(marks)).same, 'the same tracks');
});

/** Counts the ICE restarts that the page asks for from now on, in sockets that are open already. */
function noteIceRestarts(): void {
  const noting = globalThis as unknown as { restarts: number };
  noting.restarts = 0;
  const { send } = WebSocket.prototype;
  WebSocket.prototype.send = function (data) {
    if (String(data).includes('"restartIce"')) noting.restarts++;
    send.call(this, data);
  };
}

async function mute(): Promise<void> {
  const { room } = globalThis as unknown as SdkWindow;
  await room.localTracks.find(({ kind }) => kind === 'audio')?.mute();
}

/** Whether the page knows how loud these speak, and nobody else. */
function isToldOf(peerIds: string[]): boolean {
  const { audioLevels } = (globalThis as unknown as SdkWindow).room;
  return audioLevels.size === peerIds.length && peerIds.every((peerId) => audioLevels.has(peerId));
}

function isConnected(): boolean {
  return (globalThis as unknown as SdkWindow).room.state.status === 'connected';
}

function isConnectedElsewhere(daemonId: string): boolean {
  const { state } = (globalThis as unknown as SdkWindow).room;
  return state.status === 'connected' && state.daemonId !== daemonId;
}
