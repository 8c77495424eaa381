import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { RoomStats } from '@mediasoup-server/client';
import type { Page } from 'playwright-core';
import { waitForPage } from '../support/browser.ts';
import { joinRoom, openSdkPages, reloadSdkPages, type SdkWindow, seesMore, speak } from '../support/sdkPage.ts';
import { commandsOf, Stack } from '../support/stack.ts';

/** One fleet and two pages serve all these tests: each has a room of its own. */
const stack = await Stack.start({ after });
const [daemon, [alice, bob]] = await Promise.all([
  stack.startDaemon('daemon-a'),
  openSdkPages({ after }, 2) as Promise<[Page, Page]>,
]);
let rooms = 0;

/** Puts Alice and Bob in a room, each with a camera and a microphone. @returns the room's id. */
async function meet(): Promise<string> {
  await reloadSdkPages([alice, bob]);
  const roomId = `room-${++rooms}`;
  await Promise.all(
    Object.entries({ alice, bob }).map(([peerId, page]) =>
      joinRoom(page, { controlPlaneUrl: stack.controlPlaneUrl, roomId, peerId }),
    ),
  );
  await Promise.all([alice, bob].map((page) => seesMore(page, 1)));
  return roomId;
}

/** Collects the arguments of an event of the page's room, as JSON. */
async function listen(
  page: Page,
  name: 'dataReceived' | 'serverMessage' | 'peerUpdated',
): Promise<() => Promise<unknown>> {
  await page.evaluate((event) => {
    const { room } = globalThis as unknown as SdkWindow;
    const heard = globalThis as unknown as Record<string, unknown[]>;
    heard[event] = [];
    room.on(event, (...told: unknown[]) => {
      heard[event]?.push(told.map((item) => (item instanceof Uint8Array ? [...item] : item)));
    });
  }, name);
  return () => page.evaluate((event) => (globalThis as unknown as Record<string, unknown[]>)[event], name);
}

test('`send` delivers each message once, text as text and bytes as bytes', async () => {
  await meet();
  const heard = await listen(bob, 'dataReceived');
  await bob.evaluate(() => {
    const { room } = globalThis as unknown as SdkWindow;
    room.on('dataReceived', (_, data) => data === 'ready?' && room.send('ready'));
  });
  await alice.evaluate(() => {
    const page = globalThis as unknown as SdkWindow & { heard?: boolean };
    page.room.on('dataReceived', () => {
      page.heard = true;
    });
  });
  // A channel is there a moment after joining: the message is sent again until one arrives.
  await waitForPage(alice, 'Bob has answered a message', () => {
    const { room, heard } = globalThis as unknown as SdkWindow & { heard?: boolean };
    if (!heard) room.send('ready?');
    return heard;
  });
  await alice.evaluate(() => {
    const { room } = globalThis as unknown as SdkWindow;
    for (let number = 0; number < 100; number++) room.send(`message ${number}`);
    room.send(new Uint8Array([1, 2, 255]));
  });
  await bob.waitForFunction(() =>
    (globalThis as unknown as { dataReceived: [string, unknown][] }).dataReceived.some(([, data]) =>
      Array.isArray(data),
    ),
  );
  const messages = ((await heard()) as [string, unknown][]).filter(([, data]) => data !== 'ready?');
  const expected = Array.from({ length: 100 }, (_, number) => ['alice', `message ${number}`]);
  assert.deepEqual(messages, [...expected, ['alice', [1, 2, 255]]]);
});

test("a backend's message and a peer's changed appData are emitted as events", async (t) => {
  const roomId = await meet();
  const [heard, updated] = [await listen(alice, 'serverMessage'), await listen(bob, 'peerUpdated')];
  const dataJson = JSON.stringify({ recording: true });
  await commandsOf(t, daemon).sendNotification({ roomId, dataJson, from: 'recorder' });
  await alice.waitForFunction(() => (globalThis as unknown as { serverMessage: [] }).serverMessage.length > 0);
  assert.deepEqual(await heard(), [['recorder', { recording: true }]]);
  await alice.evaluate(() => (globalThis as unknown as SdkWindow).room.setAppData({ displayName: 'Alice' }));
  await bob.waitForFunction(() => (globalThis as unknown as { peerUpdated: [] }).peerUpdated.length > 0);
  assert.deepEqual(await updated(), [['alice', { displayName: 'Alice' }]]);
});

test('the active speaker and the audio levels are reported', async () => {
  await meet();
  await speak(alice);
  await bob.waitForFunction(() => (globalThis as unknown as SdkWindow).room.activeSpeaker === 'alice');
  await bob.waitForFunction(() => ((globalThis as unknown as SdkWindow).room.audioLevels.get('alice') ?? -127) > -60);
});

test('another camera uses the same producer and is seen without a pause', async () => {
  await meet();
  const producer = () =>
    bob.evaluate(() => {
      const { room } = globalThis as unknown as SdkWindow;
      return room.remoteTracks.find(({ kind }) => kind === 'video')?.producerId;
    });
  const before = await producer();
  await alice.evaluate(async () => {
    const { room, sdk } = globalThis as unknown as SdkWindow;
    const camera = room.localTracks.find(({ kind }) => kind === 'video');
    const { cameras } = await sdk.listDevices();
    await camera?.replaceTrack(await sdk.openDevice('camera', cameras.at(-1)?.deviceId));
  });
  await seesMore(bob, 1);
  assert.equal(await producer(), before);
});

test('a track that a backend paused is mutedByServer until the backend resumes it', async (t) => {
  const roomId = await meet();
  const commands = commandsOf(t, daemon);
  const producerId = await bob.evaluate(() => {
    const { room } = globalThis as unknown as SdkWindow;
    return room.remoteTracks.find(({ kind }) => kind === 'audio')?.producerId ?? '';
  });
  const until = async (muted: boolean) => {
    await alice.waitForFunction(
      (by) => (globalThis as unknown as SdkWindow).room.localTracks.some(({ mutedByServer }) => mutedByServer) === by,
      muted,
    );
    await bob.waitForFunction(
      (by) => (globalThis as unknown as SdkWindow).room.remoteTracks.some((track) => track.muted) === by,
      muted,
    );
  };
  await commands.pauseProducer({ roomId, producerId });
  await until(true);
  // Its owner may still mute and unmute it.
  await alice.evaluate(async () => {
    const track = (globalThis as unknown as SdkWindow).room.localTracks.find(({ mutedByServer }) => mutedByServer);
    await track?.mute();
    await track?.unmute();
  });
  await until(true);
  await commands.resumeProducer({ roomId, producerId });
  await until(false);
});

test('a shared screen arrives with its sound, and both end together', async () => {
  await meet();
  await alice.evaluate(async () => {
    const page = globalThis as unknown as SdkWindow & { share: unknown };
    // This browser has no screen to choose: a canvas and an oscillator replace it.
    navigator.mediaDevices.getDisplayMedia = async () => {
      const canvas = document.createElement('canvas');
      const context = canvas.getContext('2d');
      setInterval(() => context?.fillRect(Math.random() * 300, 0, 5, 5), 50);
      const sound = new AudioContext().createMediaStreamDestination();
      return new MediaStream([...canvas.captureStream(20).getTracks(), ...sound.stream.getTracks()]);
    };
    page.share = await page.sdk.shareScreen(page.room);
  });
  const sources = (wanted: string[]) =>
    bob.waitForFunction((expected) => {
      const { room } = globalThis as unknown as SdkWindow;
      const live = room.remoteTracks.filter(({ state }) => state === 'live').map(({ source }) => source);
      return live.sort().join() === expected.sort().join();
    }, wanted);
  await sources(['camera', 'microphone', 'screen', 'screenAudio']);
  await seesMore(bob, 2);
  await alice.evaluate(() => (globalThis as unknown as { share: { stop(): Promise<void> } }).share.stop());
  await sources(['camera', 'microphone']);
});

test('an element without a size of its own receives the largest picture, and a small one the smallest', async () => {
  await meet();
  const shows = (height: number) =>
    waitForPage(
      bob,
      `the picture is ${height} pixels high`,
      () => document.querySelector('video')?.videoHeight,
      undefined,
      (shown) => shown === height,
    );
  const prefer = (layers: { spatialLayer: number } | undefined) =>
    bob.evaluate(async (preferred) => {
      const { room } = globalThis as unknown as SdkWindow;
      await room.remoteTracks.find(({ kind }) => kind === 'video')?.setPreferredLayers(preferred);
    }, layers);
  await prefer({ spatialLayer: 0 });
  await shows(180);
  // The element is now as small as the picture, which must not count as the page's wish.
  await prefer(undefined);
  await shows(360);
  await bob.addStyleTag({ content: 'video { width: 320px; height: 180px }' });
  await shows(180);
});

test('`getStats` summarizes the quality of the call', async (t) => {
  await meet();
  // The browser starts with the small layer and without statistics.
  const complete = async () => {
    const stats = (await bob.evaluate(async () => {
      const plain = ({ track, ...rest }: { track: { kind: string } }) => ({ kind: track.kind, ...rest });
      const { local, remote, ...rest } = await (globalThis as unknown as SdkWindow).room.getStats();
      return { ...rest, local: local.map(plain), remote: remote.map(plain) };
    })) as unknown as RoomStats;
    const all = [...stats.local, ...stats.remote];
    assert.equal(all.length, 4);
    assert.ok(all.every(({ bitrate, codec }) => bitrate > 0 && codec));
    assert.ok(stats.roundTripMs !== undefined);
    const video = (tracks: readonly unknown[]) => tracks.find((track) => (track as { kind: string }).kind === 'video');
    const { codec, height = 0, layers } = video(stats.local) as RoomStats['local'][number];
    assert.deepEqual({ codec, sizes: layers.length }, { codec: 'video/VP8', sizes: 2 });
    // The browser sends less than 360 lines while it finds the machine too busy.
    assert.ok(height >= 90 && height <= 360, `${height} pixels high`);
    const received = video(stats.remote) as RoomStats['remote'][number];
    assert.equal(received.codec, 'video/VP8');
    assert.equal(received.layerCount, 2);
    assert.ok((received.framesPerSecond ?? 0) > 0 && received.lossRate <= 1);
    assert.equal(stats.daemonId, 'daemon-a');
    assert.notEqual(stats.quality, 'unknown');
  };
  await t.waitFor(complete, { interval: 500, timeout: 60_000 });
});
