/**
 * Prints the time from opening the WebSocket to the first decoded frame of a remote camera, and to the own track's
 * producer: for the SDK, and for a page without it that needs the fewest round trips (docs/guide/bare-clients.md). Both use
 * the same daemon, without and with delayed signaling.
 */
import { test } from 'node:test';
import { bundle } from '@mediasoup-server/client/bundle';
import type { Page } from 'playwright-core';
import { codeIn } from '../../e2e/support/codeIn.ts';
import { joinRoom, openScriptPages, openSdkPages, type SdkWindow } from '../../e2e/support/sdkPage.ts';
import { Stack } from '../../e2e/support/stack.ts';
import { TcpProxy } from '../../e2e/support/TcpProxy.ts';

const ROUNDS = Number(process.env.ROUNDS ?? 15);

interface Times {
  readonly frame: number;
  readonly produced: number;
}

test('time from the opening of the socket to the first frame', async (t) => {
  const stack = await Stack.start(t);
  const daemon = await stack.startDaemon('daemon-a');
  const relay = await TcpProxy.start(t, Number(new URL(daemon.url).port));
  const from = new URL('./', import.meta.url);
  const script = await bundle(`${await codeIn('docs/guide/bare-clients.md')}; globalThis.join = join;`, { from });
  // protoo-client reads `globalThis.WebSocket` when it is loaded.
  const [bare] = await openScriptPages(t, `(${through})('${relay.port}');\n${script}`, 1);
  const [sdk, sender] = await openSdkPages(t, 2);
  if (!bare || !sdk || !sender) throw new Error('a page is missing');
  const options = { controlPlaneUrl: stack.controlPlaneUrl, roomId: 'room' };
  await joinRoom(sender, { ...options, peerId: 'sender' });
  await sdk.evaluate(through, String(relay.port));
  await bare.waitForFunction(() => 'join' in globalThis);

  for (const delay of [0, 50]) {
    relay.delay(delay);
    const times: Record<'sdk' | 'bare', Times[]> = { sdk: [], bare: [] };
    // They take turns, so that other load of the machine slows both.
    for (let round = 0; round <= ROUNDS; round++) {
      const pair = { bare: await once(bare, byHand, options), sdk: await once(sdk, bySdk, options) };
      // The first run of each also loads and compiles.
      if (round > 0) for (const name of ['sdk', 'bare'] as const) times[name].push(pair[name]);
    }
    for (const what of ['frame', 'produced'] as const) {
      const [a, b] = [median(times.sdk.map((time) => time[what])), median(times.bare.map((time) => time[what]))];
      const name = what === 'frame' ? 'first decoded frame' : 'first track produced';
      process.stdout.write(
        `${name}, ${delay} ms of delay each way: SDK ${a.toFixed(0)} ms, bare ${b.toFixed(0)} ms, ratio ${(a / b).toFixed(2)}\n`,
      );
    }
  }
});

const once = (page: Page, run: (options: object) => Promise<Times>, options: object): Promise<Times> =>
  page.evaluate(run, options);

/** Connects the page's sockets through a port, and records when each is created. */
function through(port: string): void {
  const Original = globalThis.WebSocket;
  globalThis.WebSocket = class extends Original {
    constructor(address: string | URL, protocols?: string | string[]) {
      const url = new URL(address);
      url.port = port;
      super(url, protocols);
      Object.assign(globalThis, { opened: performance.now() });
    }
  };
}

async function bySdk(options: object): Promise<Times> {
  const page = globalThis as unknown as SdkWindow & { opened: number };
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  const room = new page.sdk.Room({ ...options, peerId: 'sdk' } as never);
  const seen = new Promise<number>((resolve) => {
    room.on('trackSubscribed', (track) => {
      if (track.kind !== 'video') return;
      const video = document.body.appendChild(document.createElement('video'));
      video.muted = true;
      video.requestVideoFrameCallback((now) => resolve(now));
      track.attach(video);
    });
  });
  await room.join();
  await Promise.all(stream.getTracks().map((track) => room.publish(track)));
  const produced = performance.now() - page.opened;
  const frame = (await seen) - page.opened;
  room.leave();
  for (const video of document.querySelectorAll('video')) video.remove();
  return { frame, produced };
}

async function byHand(options: object): Promise<Times> {
  const page = globalThis as unknown as { join(options: object): Promise<() => void>; opened: number };
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  const seen = Promise.withResolvers<number>();
  const leave = await page.join({
    ...options,
    peerId: 'bare',
    stream,
    onTrack(track: MediaStreamTrack) {
      if (track.kind !== 'video') return;
      const video = document.body.appendChild(document.createElement('video'));
      video.muted = true;
      video.autoplay = true;
      video.requestVideoFrameCallback((now) => seen.resolve(now));
      video.srcObject = new MediaStream([track]);
    },
    onTrackEnded() {},
    onClosed() {},
  });
  const produced = performance.now() - page.opened;
  const frame = (await seen.promise) - page.opened;
  leave();
  for (const video of document.querySelectorAll('video')) video.remove();
  return { frame, produced };
}

const median = (numbers: readonly number[]): number =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
