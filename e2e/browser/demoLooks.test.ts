import assert from 'node:assert/strict';
import { after, type TestContext, test } from 'node:test';
import type { Page } from 'playwright-core';
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
import { assertLooksRight } from '../support/looks.ts';
import { Stack } from '../support/stack.ts';

/** One Chromium serves these tests, and one fleet those that need a daemon: each has a room of its own. */
const [browser, fleet] = await Promise.all([launchBrowser({ after }), Stack.start({ after })]);
await fleet.startDaemon('daemon-a');

test('every screen passes axe, light and dark, from 320 to 1920 pixels wide', async (t) => {
  const stack = await Stack.start(t);
  const page = await openPage(t, browser, stack.controlPlaneUrl);
  await page.locator('[data-testid=level][data-heard=true]').waitFor();
  await assertLooksRight(page, 'landing');

  await askToJoin(page, 'quiet-river-42', 'Ada Lovelace');
  await page.locator('[data-testid=entering][data-code=NO_CAPACITY]').waitFor();
  await assertLooksRight(page, 'entering');

  await stack.startDaemon('daemon-a');
  await waitImpatiently(page, CONNECTED);
  await assertLooksRight(page, 'alone');

  const other = await openPage(t, browser, stack.controlPlaneUrl);
  await joinDemo(other, 'quiet-river-42', 'Grace Brewster Murray Hopper, Rear Admiral');
  await seesAndHears(page);
  await assertLooksRight(page, 'grid');
  await page.keyboard.press('g');
  await page.locator('[data-view=speaker]').waitFor();
  await assertLooksRight(page, 'speaker');
  await other.locator('[data-testid=screen]').click();
  await page.locator('[data-testid=tile][data-source=screen] video').waitFor();
  await assertLooksRight(page, 'screen');
  await page.keyboard.press('k');
  await page.locator('[data-testid=panel-keys]').waitFor();
  await assertLooksRight(page, 'keys');
  await page.keyboard.press('i');
  await page.locator('[data-testid=panel-connection] dl').waitFor();
  await page.locator('[data-testid=numbers]').first().waitFor();
  await assertLooksRight(page, 'connection');
  await page.keyboard.press('c');
  await page.locator('[data-testid=panel-chat]').waitFor();
  await other.keyboard.press('c');
  await other.locator('input[name=message]').fill('A word that is longer than the panel is wide: '.padEnd(90, 'o'));
  await other.keyboard.press('Enter');
  await page.locator('[data-testid=message]').waitFor();
  await page.locator('input[name=message]').fill('Indeed.');
  await page.keyboard.press('Enter');
  await other.locator('[data-testid=message]:not(.own)').waitFor();
  await assertLooksRight(page, 'chat');
  await page.locator('[data-testid=leave]').click();
  await page.locator('[data-testid=ended]').waitFor();
  await assertLooksRight(page, 'ended');
});

test('the speaker view follows the active speaker, a shared screen is heard, and an error of the page is shown', async (t) => {
  const [page, other] = (await openPages(t, fleet.controlPlaneUrl, 2, browser)) as [Page, Page];
  await Promise.all([
    joinDemo(page, 'quiet-river-42', 'Ada Lovelace'),
    joinDemo(other, 'quiet-river-42', 'Grace Hopper'),
  ]);
  await seesAndHears(page);
  await page.keyboard.press('g');
  await page.locator('[data-view=speaker]').waitFor();
  await followsWhoSpeaks(t, page, other);
  await sharesSound(page, other);
  await comesBackFromAnError(other);
});

/** Two others speak in turn: the speaker has the large picture. */
async function followsWhoSpeaks(t: TestContext, page: Page, other: Page): Promise<void> {
  const third = await openPage(t, browser, fleet.controlPlaneUrl);
  await joinDemo(third, 'quiet-river-42', 'Katherine Johnson');
  const largest = (name: string) =>
    page.waitForFunction((wanted) => {
      const area = (tile: Element) => tile.clientWidth * tile.clientHeight;
      const [first] = [...document.querySelectorAll('[data-testid=tile]')].sort((a, b) => area(b) - area(a));
      return first?.querySelector('.name')?.textContent?.startsWith(wanted);
    }, name);
  for (const [speaking, name] of [
    [third, 'Katherine'],
    [other, 'Grace'],
    [third, 'Katherine'],
  ] as const) {
    for (const silent of [third, other]) if (silent !== speaking) await say(silent, 0);
    await say(speaking, 1);
    await largest(name);
  }
  await third.close();
  await page.locator('[data-testid=tile]', { hasText: 'Katherine' }).waitFor({ state: 'detached' });
}

/** Sends an even tone as the page's microphone: the fake one beeps too seldom for an active speaker. */
async function say(page: Page, loudness: number): Promise<void> {
  await page.evaluate(async (gain) => {
    type Microphone = { source: string; replaceTrack(track?: MediaStreamTrack): Promise<void> };
    const { room } = window as unknown as { room: { localTracks: Microphone[] } };
    const context = new AudioContext();
    const volume = new GainNode(context, { gain });
    const out = context.createMediaStreamDestination();
    const tone = new OscillatorNode(context);
    tone.connect(volume).connect(out);
    tone.start();
    const microphone = room.localTracks.find(({ source }) => source === 'microphone');
    await microphone?.replaceTrack(out.stream.getAudioTracks()[0]);
  }, loudness);
}

/** The other shares a screen with sound, which the page plays. */
async function sharesSound(page: Page, other: Page): Promise<void> {
  assert.equal(await page.locator('audio').count(), 1);
  await other.evaluate(() => {
    // This browser captures no sound with a screen: a tone replaces it.
    const { mediaDevices } = navigator;
    const share = mediaDevices.getDisplayMedia.bind(mediaDevices);
    mediaDevices.getDisplayMedia = async (options) => {
      const context = new AudioContext();
      const out = context.createMediaStreamDestination();
      const tone = new OscillatorNode(context);
      tone.connect(out);
      tone.start();
      const picture = await share({ ...options, audio: false });
      return new MediaStream([...picture.getTracks(), ...out.stream.getTracks()]);
    };
  });
  await other.locator('[data-testid=screen]').click();
  await page.locator('[data-testid=tile][data-source=screen] video').waitFor();
  await waitForPage(page, 'the other and the screen are heard', async () => {
    const { room } = window as unknown as { room: { getStatsReports(): Promise<RTCStatsReport[]> } };
    const played = new Set<string>();
    for (const audio of document.querySelectorAll('audio')) {
      const [track] = (audio.srcObject as MediaStream | null)?.getAudioTracks() ?? [];
      if (track && !audio.paused) played.add(track.id);
    }
    let heard = 0;
    for (const report of await room.getStatsReports()) {
      for (const { type, trackIdentifier, totalAudioEnergy } of report.values()) {
        if (type === 'inbound-rtp' && played.has(trackIdentifier) && totalAudioEnergy > 0.0001) heard++;
      }
    }
    return heard === 2;
  });
}

/** The page shows an error that is thrown while it renders, and its button reloads into the call. */
async function comesBackFromAnError(page: Page): Promise<void> {
  await page.evaluate(() => {
    const { room } = window as unknown as { room: object };
    Object.defineProperty(room, 'peers', {
      get() {
        throw new Error('a fault of the test');
      },
    });
    // Makes the page render again, in case nothing else does.
    document.querySelector<HTMLElement>('[data-testid=view]')?.click();
  });
  const alert = page.locator('[role=alert]');
  assert.match((await alert.textContent()) ?? '', /Something broke on this page.*a fault of the test/);
  await keepPicture(page, 'broken');
  await alert.locator('button').click();
  await connected(page);
  await seesAndHears(page);
}

test('the keyboard alone joins, uses and leaves a call', async (t) => {
  const [page, other] = (await openPages(t, fleet.controlPlaneUrl, 2, browser)) as [Page, Page];
  await joinDemo(other, 'lobby', 'Bob');
  const { keyboard } = page;
  // The form opens with the focus on the name.
  await keyboard.type('Alice');
  await tabTo(page, 'input[name=room]');
  await keyboard.press('Control+a');
  await keyboard.type('lobby');
  await keyboard.press('Enter');
  await page.locator('[data-testid=state][data-status=connected]').waitFor();
  await seesAndHears(page);

  const bobHears = (on: boolean) =>
    other
      .locator('[data-testid=tile][data-local=false] [aria-label="microphone off"]')
      .waitFor({ state: on ? 'detached' : 'visible' });
  await bobHears(true);
  await keyboard.press('m');
  await bobHears(false);
  await tabTo(page, '[data-testid=mute]');
  await keyboard.press('Space');
  await bobHears(true);

  await tabTo(page, '[data-testid=open-keys]');
  await keyboard.press('Enter');
  await page.locator('[data-testid=panel-keys]').waitFor();
  await tabTo(page, '[data-testid=panel-keys] input');
  await keyboard.press('Space');
  await keyboard.press('Escape');
  await page.locator('[data-testid=panel-keys]').waitFor({ state: 'detached' });
  await page.locator('[data-testid=open-keys]:focus').waitFor();
  // The single-key shortcuts are off now.
  await keyboard.press('g');
  await tabTo(page, '[data-testid=view]');
  assert.equal(await page.locator('[data-view=grid]').count(), 1);
  await keyboard.press('Enter');
  await page.locator('[data-view=speaker]').waitFor();

  await tabTo(page, '[data-testid=leave]');
  await keyboard.press('Enter');
  await page.locator('[data-testid=ended]').waitFor();
  await tabTo(page, '[data-testid=ended] button');
  await keyboard.press('Enter');
  await page.locator('[data-testid=state][data-status=connected]').waitFor();

  await page.locator('[data-testid=leave]').click();
  const focused = focusAtFirst(page);
  await page.locator('[data-testid=ended] button', { hasText: 'Back to the start' }).click();
  assert.equal(await focused, 'name');
});

/** The name of the field that has the focus in the task in which the form appears. */
function focusAtFirst(page: Page): Promise<string> {
  return page.evaluate(
    () =>
      new Promise((resolve) =>
        new MutationObserver((_, observer) => {
          if (!document.querySelector('[data-testid=join-form]')) return;
          observer.disconnect();
          resolve(document.activeElement?.getAttribute('name') ?? '');
        }).observe(document.body, { childList: true, subtree: true }),
      ),
  );
}

/** Presses Tab until the element has the focus, and checks that the focus is visible. */
async function tabTo(page: Page, selector: string): Promise<void> {
  for (let presses = 0; presses < 60; presses++) {
    await page.keyboard.press('Tab');
    const outline = await page.evaluate((wanted) => {
      const focused = document.activeElement;
      return focused?.matches(wanted) ? getComputedStyle(focused).outlineStyle : undefined;
    }, selector);
    if (outline === undefined) continue;
    assert.notEqual(outline, 'none', `the focus on ${selector} is not to be seen`);
    return;
  }
  assert.fail(`${selector} is not reached with the Tab key`);
}
