import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { SocketRelay } from '../../tools/dev/SocketRelay.ts';
import { joinDemo, keepPicture, launchBrowser, openPage } from '../support/browser.ts';
import { longestFreezes, meets, watchFreezes } from '../support/freezes.ts';
import { Stack } from '../support/stack.ts';

const NAMES = ['Alice', 'Bob', 'Carol'] as const;
/** The aim is below six seconds; a busy machine may be ten times as slow. */
const MOST_OUTAGE_MS = 60_000;
type Name = (typeof NAMES)[number];
const othersThan = (name: Name) => NAMES.filter((other) => other !== name);

test('three people see and hear each other again after a reload, a lost socket and a killed daemon', async (t) => {
  const stack = await Stack.start(t);
  const relay = await SocketRelay.listen(0);
  t.after(() => relay.close());
  const daemon = await stack.startDaemon('daemon-a', { MEDIA_DAEMON_PUBLIC_URL: `ws://127.0.0.1:${relay.port}` });
  relay.to = Number(daemon.ready.listenPort);
  const browser = await launchBrowser(t);
  const open = () => openPage(t, browser, stack.controlPlaneUrl, { viewport: { width: 900, height: 600 } });
  const [Alice, Bob, Carol] = await Promise.all([open(), open(), open()]);
  const pages: Record<Name, Page> = { Alice, Bob, Carol };
  await Promise.all(NAMES.map((name) => joinDemo(pages[name], 'lobby', name)));
  const everybodyMeets = () => Promise.all(NAMES.map((name) => meets(pages[name], othersThan(name))));
  await everybodyMeets();
  for (const name of NAMES) await watchFreezes(pages[name]);

  /** Causes an outage and waits until everybody meets again. Prints and bounds how long each video stood still. */
  const outage = async (what: string, happen: () => Promise<unknown>, watching: readonly Name[] = NAMES) => {
    for (const name of watching) await longestFreezes(pages[name]);
    const since = Date.now();
    await happen();
    await everybodyMeets();
    const took = Date.now() - since;
    for (const name of watching) {
      const frozen = await longestFreezes(pages[name]);
      const shown = Object.entries(frozen).map(([other, ms]) => `${other} ${ms} ms`);
      t.diagnostic(`${what}: ${name} saw frozen ${shown.join(', ')}`);
    }
    t.diagnostic(`${what}: everybody saw and heard everybody again within ${took} ms`);
    assert.ok(took < MOST_OUTAGE_MS, `${what}: it took ${took} ms`);
  };

  await outage('Carol reloads', () => pages.Carol.reload(), ['Alice', 'Bob']);
  await keepPicture(pages.Alice, 'recovery-reload');
  await watchFreezes(pages.Carol);

  const bob = await peerIdOf(pages.Bob);
  await outage("Bob's socket is lost", async () => relay.cut(bob));
  assert.equal(await peerIdOf(pages.Bob), bob);

  await stack.startDaemon('daemon-b');
  await outage('the daemon is killed', async () => daemon.process.kill('SIGKILL'));
  await keepPicture(pages.Alice, 'recovery-daemon');
  for (const name of NAMES) assert.equal(await pages[name].locator('[data-testid=tile]').count(), 3, name);
});

const peerIdOf = (page: Page): Promise<string> =>
  page.evaluate(() => (window as unknown as { room: { peerId: string } }).room.peerId);
