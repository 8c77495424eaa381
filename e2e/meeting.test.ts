import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CDPSession, Page } from 'playwright-core';
import { openSdkPages, type SdkWindow } from './testing/sdkPage.ts';
import { nextTick, Stack } from './testing/stack.ts';

/** How many meetings there are; `make soak` asks for 500. */
const MEETINGS = Number(process.env.MEETINGS ?? 4);
/** How many come before, after which everything is loaded that is loaded once. */
const WARM_UP = 8;
/** What the page's heap may grow by in bytes: while its code is still being compiled, and for each meeting. */
const MOST_KEPT = 250_000 + 10_000 * MEETINGS;

test(`a page whose meetings end is as it was before, and so is the daemon: ${MEETINGS} meetings`, async (t) => {
  const stack = await Stack.start(t);
  const daemon = await stack.startDaemon('daemon-a');
  const [alice, bob] = (await openSdkPages(t, 2)) as [Page, Page];
  const inspector = await alice.context().newCDPSession(alice);
  const meet = async (meeting: number) => {
    const options = { controlPlaneUrl: stack.controlPlaneUrl, roomId: `room-${meeting}` };
    await Promise.all([
      alice.evaluate(attend, { ...options, peerId: 'alice' }),
      bob.evaluate(attend, { ...options, peerId: 'bob' }),
    ]);
  };
  const things = async () => {
    const text = await (await fetch(`http://127.0.0.1:${daemon.ready.metricsPort}/metrics`)).text();
    return text.match(/^media_daemon_(sockets|rooms|peers|producers|consumers) .*$/gm)?.join('\n');
  };

  const before = await things();
  for (let meeting = 0; meeting < WARM_UP; meeting++) await meet(meeting);
  const start = await heapOf(inspector);
  for (let meeting = 0; meeting < MEETINGS; meeting++) await meet(WARM_UP + meeting);
  const end = await heapOf(inspector);
  const kept = end.bytes - start.bytes;
  t.diagnostic(`heap ${start.bytes} -> ${end.bytes} bytes: ${Math.round(kept / MEETINGS)} bytes a meeting`);
  t.diagnostic(`live objects ${JSON.stringify(start.live)} -> ${JSON.stringify(end.live)}`);
  assert.ok(kept < MOST_KEPT, `${kept} bytes are kept`);
  assert.deepEqual(end.live, start.live);
  while ((await things()) !== before) await nextTick();
});

/** What a meeting makes; every room has an AbortController. */
const KINDS = [
  'RTCPeerConnection',
  'WebSocket',
  'HTMLMediaElement',
  'MediaStream',
  'MediaStreamTrack',
  'AbortController',
];

/** The page's heap after all garbage is gone, and what of the kinds that a meeting makes is alive. */
async function heapOf(inspector: CDPSession) {
  // What waits for a finalizer goes with the second collection.
  for (let time = 0; time < 3; time++) await inspector.send('HeapProfiler.collectGarbage');
  const live: Record<string, number> = {};
  for (const name of KINDS) {
    const { result } = await inspector.send('Runtime.evaluate', { expression: `${name}.prototype` });
    const { objects } = await inspector.send('Runtime.queryObjects', { prototypeObjectId: result.objectId ?? '' });
    const count = await inspector.send('Runtime.callFunctionOn', {
      objectId: objects.objectId ?? '',
      functionDeclaration: 'function () { return this.length; }',
      returnByValue: true,
    });
    live[name] = count.result.value;
    for (const { objectId } of [result, objects]) {
      if (objectId) await inspector.send('Runtime.releaseObject', { objectId });
    }
  }
  await inspector.send('HeapProfiler.collectGarbage');
  const { usedSize } = await inspector.send('Runtime.getHeapUsage');
  return { bytes: usedSize, live };
}

/** One meeting: joins, sends, sees and hears the other, mutes, shares a screen and sees the other's, and leaves. */
async function attend(options: { controlPlaneUrl: string; roomId: string; peerId: string }): Promise<void> {
  const { sdk } = globalThis as unknown as SdkWindow;
  const room = new sdk.Room(options);
  const shown = new Map<unknown, HTMLMediaElement>();
  room.on('trackSubscribed', (track) => {
    const element = document.body.appendChild(document.createElement(track.kind));
    shown.set(track, element);
    track.attach(element);
  });
  room.on('trackUnsubscribed', (track) => shown.get(track)?.remove());
  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
  };
  /** Waits until the other has come as far, or has left already. */
  const together = async (step: number): Promise<void> => {
    await room.setAppData({ step });
    await until(() => [...room.peers.values()].every((other) => Number(other.step) >= step));
  };
  const plays = (count: number): boolean =>
    [...shown.values()].filter(({ currentTime, isConnected }) => isConnected && currentTime > 0).length === count;
  // Once for all meetings: Chromium itself keeps a page's every `getUserMedia`.
  const page = globalThis as unknown as { stream?: MediaStream };
  page.stream ??= await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 320, height: 180 } });
  await room.join();
  const [microphone] = await Promise.all(page.stream.getTracks().map((track) => room.publish(track)));
  await until(() => plays(2));
  await microphone?.mute();
  await until(() => room.remoteTracks.some(({ muted }) => muted));
  await together(1);
  await microphone?.unmute();
  await until(() => room.remoteTracks.every(({ muted }) => !muted));
  const canvas = document.createElement('canvas');
  const context = canvas.getContext('2d');
  const drawing = setInterval(() => context?.fillRect(Math.random() * 300, 0, 5, 5), 50);
  const [screen] = canvas.captureStream(20).getTracks();
  const share = screen && (await room.publish(screen, { source: 'screen' }));
  await until(() => plays(3));
  await together(2);
  await share?.close();
  await until(() => room.remoteTracks.length === 2);
  await together(3);
  room.leave();
  clearInterval(drawing);
  screen?.stop();
  for (const element of shown.values()) element.srcObject = null;
}
