import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { SignJWT } from 'jose';
import type { Page, Request } from 'playwright-core';
import {
  askToJoin,
  CONNECTED,
  connected,
  joinDemo,
  keepPicture,
  launchBrowser,
  openPage,
  openPages,
  seesAndHears,
  waitForPage,
  waitImpatiently,
} from '../support/browser.ts';
import { CameraFile } from '../support/CameraFile.ts';
import { meets } from '../support/freezes.ts';
import { assertLooksRight } from '../support/looks.ts';
import { Stack } from '../support/stack.ts';
import { waitUntil } from '../support/waitUntil.ts';

/** One Chromium serves the tests that need no other, and one fleet those of devices. */
const [browser, fleet] = await Promise.all([launchBrowser({ after }), Stack.start({ after })]);
await fleet.startDaemon('daemon-a');

/** Waits until the page reports a problem with a device. Returns the text. */
async function deviceWords(page: Page, kind: 'camera' | 'microphone', problem: string): Promise<string> {
  const words = page.locator(`[data-testid=${kind}-problem][data-problem=${problem}]`);
  await words.waitFor();
  return (await words.textContent()) ?? '';
}

/** Waits until the page reports why it cannot join. Returns the text. */
async function refusal(page: Page, code: string): Promise<string> {
  const words = page.locator(`[data-testid=entering][data-code=${code}]`);
  await words.waitFor();
  return (await words.textContent()) ?? '';
}

const preview = (page: Page, status: string) => page.locator(`[data-testid=preview][data-camera=${status}]`).waitFor();

test('the page says that devices are blocked or in use, and starts them once they are free', async (t) => {
  // Headless Chromium denies a permission that it would ask for.
  const page = await openPage(t, await launchBrowser(t, { asks: true }), fleet.controlPlaneUrl);
  assert.match(await deviceWords(page, 'camera', 'denied'), /camera is blocked/);
  assert.match(await deviceWords(page, 'microphone', 'denied'), /microphone is blocked/);
  assert.equal(
    await page.locator('[data-testid=join-form] button[type=submit]').textContent(),
    'Join to watch and listen',
  );
  await keepPicture(page, 'denied');
  await page.context().grantPermissions(['camera', 'microphone']);
  await preview(page, 'on');
  await page.locator('[data-testid=level][data-heard=true]').waitFor();

  // Chromium's error for a camera in use by another program, which its fake camera never is.
  const lettingGo = await page.evaluateHandle(() => {
    const { mediaDevices } = navigator;
    const open = mediaDevices.getUserMedia.bind(mediaDevices);
    mediaDevices.getUserMedia = () => Promise.reject(new DOMException('Device in use', 'NotReadableError'));
    return () => Object.assign(mediaDevices, { getUserMedia: open });
  });
  for (const state of ['off', 'failed']) {
    await page.locator('[data-testid=switch-camera]').click();
    await preview(page, state);
  }
  assert.match(await deviceWords(page, 'camera', 'busy'), /camera cannot be started.*Another program may be using it/);
  await keepPicture(page, 'camera-busy');
  await lettingGo.evaluate((letGo) => void letGo());
  await preview(page, 'on');
});

test('the page reports a missing or unplugged camera, and shows it once it is plugged in', async (t) => {
  for (let tries = 1; tries <= 3; tries++) {
    try {
      return await plugAndPull(t);
    } catch (error) {
      // Chromium sometimes crashes when its capture process is killed, which pulling out a real camera does not do.
      if (tries === 3 || !/browser has been closed/.test((error as Error).message)) throw error;
      t.diagnostic('Chromium crashed when its capture process was killed; trying again');
    }
  }
});

async function plugAndPull(t: TestContext): Promise<void> {
  const camera = await cameraFile(t);
  const [other, page] = await Promise.all([
    openPage(t, browser, fleet.controlPlaneUrl),
    launchBrowser(t, { cameraFile: camera.path }).then((own) => openPage(t, own, fleet.controlPlaneUrl)),
  ]);
  await joinDemo(other, 'lobby', 'Bob');
  assert.match(await deviceWords(page, 'camera', 'missing'), /No camera was found/);
  assert.equal(await page.locator('[data-testid=join-form] button[type=submit]').textContent(), 'Join without camera');
  await keepPicture(page, 'no-camera');

  await camera.plugIn();
  await preview(page, 'on');
  await joinDemo(page, 'lobby', 'Alice');
  await seesAndHears(other);

  await camera.pullOut();
  assert.match(await deviceWords(page, 'camera', 'unplugged'), /camera was unplugged/);
  const video = other.locator('[data-testid=tile][data-local=false] video');
  await video.waitFor({ state: 'hidden' });
  await keepPicture(page, 'unplugged');
  await camera.plugIn();
  await page.locator('[data-testid=camera-problem]').waitFor({ state: 'detached' });
  await video.waitFor({ state: 'visible' });
  await seesAndHears(other);
}

test('a visitor of a full room is told so, and joins when somebody leaves', async (t) => {
  const stack = await Stack.start(t);
  const [[alice, bob]] = await Promise.all([
    openPages(t, stack.controlPlaneUrl, 2, browser) as Promise<[Page, Page]>,
    stack.startDaemon('daemon-a', { MEDIA_DAEMON_MAX_PEERS: '1' }),
  ]);
  await joinDemo(alice, 'lobby', 'Alice');
  await askToJoin(bob, 'lobby', 'Bob');
  assert.match(await refusal(bob, 'ROOM_FULL'), /This room is full/);
  await keepPicture(bob, 'room-full');
  await alice.locator('[data-testid=leave]').click();
  await waitImpatiently(bob, CONNECTED);
  await keepPicture(alice, 'left');
});

test('a visitor is told that no media daemon or control plane is available, and joins once both are', async (t) => {
  const stack = await Stack.start(t);
  const page = await openPage(t, browser, stack.controlPlaneUrl);
  await askToJoin(page, 'lobby', 'Alice');
  assert.match(await refusal(page, 'NO_CAPACITY'), /The service is busy/);
  stack.controlPlane.kill('SIGKILL');
  await waitImpatiently(page, '[data-testid=entering][data-code=CONTROL_PLANE_UNREACHABLE]');
  assert.match(await refusal(page, 'CONTROL_PLANE_UNREACHABLE'), /The service cannot be reached/);
  await keepPicture(page, 'control-plane-down');
  await stack.restartControlPlane();
  await stack.startDaemon('daemon-a');
  await waitImpatiently(page, CONNECTED);
});

test('a call continues without the control plane, and the page says what is away, also when the daemon dies too', async (t) => {
  const stack = await Stack.start(t);
  const [daemon, [alice, bob]] = await Promise.all([
    stack.startDaemon('daemon-a'),
    openPages(t, stack.controlPlaneUrl, 2, browser) as Promise<[Page, Page]>,
  ]);
  await Promise.all([joinDemo(alice, 'lobby', 'Alice'), joinDemo(bob, 'lobby', 'Bob')]);
  await Promise.all([meets(alice, ['Bob']), meets(bob, ['Alice'])]);
  const lost = alice.locator('[data-testid=lost]');
  const away = alice.locator('[data-testid=service-away]');
  stack.controlPlane.kill('SIGKILL');
  // The page asks seldom, and at once when it becomes visible.
  await waitUntil('the page says that the service is away', async () => {
    await alice.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
    return (await away.count()) > 0;
  });
  assert.match((await away.textContent()) ?? '', /Your call goes on.* nobody new can join/);
  await Promise.all([meets(alice, ['Bob']), meets(bob, ['Alice'])]);
  assert.equal(await lost.count(), 0);
  await keepPicture(alice, 'service-away');
  await stack.restartControlPlane();
  await away.waitFor({ state: 'detached' });

  stack.controlPlane.kill('SIGKILL');
  daemon.process.kill('SIGKILL');
  await alice.locator('[data-testid=lost][data-code=CONTROL_PLANE_UNREACHABLE]').waitFor();
  assert.match((await lost.textContent()) ?? '', /Neither .* nor .* can be reached.* goes on by itself/);
  await assertLooksRight(alice, 'lost');
  await stack.restartControlPlane();
  // Now the page only waits for another media daemon.
  await waitImpatiently(alice, '[data-testid=lost]:not([data-code=CONTROL_PLANE_UNREACHABLE])');
  await stopTimers(alice);
  await stack.startDaemon('daemon-b');
  await waitImpatiently(bob, CONNECTED);
  await showAgain(alice);
  await Promise.all([meets(alice, ['Bob']), meets(bob, ['Alice'])]);
  await lost.waitFor({ state: 'detached' });
});

/**
 * Makes the page's room wait until `showAgain`: timers do not fire any more. The attempt that runs meanwhile sleeps only
 * on timers of the new kind, since it is begun here.
 */
async function stopTimers(page: Page): Promise<void> {
  const asked = new Set<Request>();
  page.on('request', (request) => {
    if (request.url().endsWith('/assignments')) asked.add(request);
  });
  for (const event of ['requestfinished', 'requestfailed'] as const) {
    page.on(event as 'requestfinished', (request) => asked.delete(request));
  }
  const before = await page.evaluate(() => {
    const stopped = window as unknown as { timeout: typeof setTimeout; room: { state: { attempt: number } } };
    stopped.timeout = window.setTimeout;
    window.setTimeout = (() => 0) as never;
    return stopped.room.state.attempt;
  });
  const attempt = () => {
    document.dispatchEvent(new Event('visibilitychange'));
    return (window as unknown as { room: { state: { attempt: number } } }).room.state.attempt;
  };
  await waitForPage(page, `another attempt than ${before} begins`, attempt, undefined, (now) => now !== before);
  await waitUntil(
    'the last attempt was answered',
    () => asked.size === 0,
    () => [...asked].map((request) => request.url()),
  );
}

/** Makes the page visible again and its timers fire. */
async function showAgain(page: Page): Promise<void> {
  await page.evaluate(() => {
    const { timeout, room } = window as unknown as { timeout: typeof setTimeout; room: { state: { status: string } } };
    if (room.state.status === 'connected') throw new Error('the room did not wait');
    document.dispatchEvent(new Event('visibilitychange'));
    window.setTimeout = timeout;
  });
}

test('a visitor with an expired invitation is told so, and joins with a new one', async (t) => {
  const secret = 'a secret of the tests that is long enough';
  const stack = await Stack.start(t, {
    CONTROL_PLANE_MODE: 'jwt',
    CONTROL_PLANE_ACCESS_TOKEN_SECRET: secret,
    CONTROL_PLANE_CORS_ORIGINS: 'https://app.example.com',
  });
  await stack.startDaemon('daemon-a', { MEDIA_DAEMON_MODE: 'jwt' });
  const invitation = async (secondsLeft: number) => {
    const grants = { publish: true, subscribe: true, data: true };
    const exp = Math.floor(Date.now() / 1000) + secondsLeft;
    const claims = { sub: 'alice', room: 'board', grants, aud: 'mediasoup-server', exp };
    const token = new SignJWT(claims).setProtectedHeader({ alg: 'HS256', typ: 'access+jwt' });
    return `${stack.controlPlaneUrl}/#token=${await token.sign(new TextEncoder().encode(secret))}`;
  };
  const page = await openPage(t, browser, await invitation(-60));
  assert.equal(await page.locator('input[name=room]').inputValue(), 'board');
  await page.locator('input[name=name]').fill('Alice');
  await page.locator('[data-testid=join-form] button[type=submit]').click();
  assert.match(await refusal(page, 'REFUSED'), /Your invitation has expired/);
  await keepPicture(page, 'expired');
  // The new link opens in the same tab.
  await page.goto(await invitation(600));
  await connected(page);
  assert.equal(await page.locator('h1').textContent(), 'board');

  await page.goto('about:blank');
  await page.goto(stack.controlPlaneUrl);
  await askToJoin(page, 'board', 'Alice');
  assert.match(await refusal(page, 'REFUSED'), /You need an invitation/);
});

async function cameraFile(t: TestContext): Promise<CameraFile> {
  const folder = await mkdtemp(join(tmpdir(), 'camera-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return new CameraFile(join(folder, 'camera.y4m'));
}
