import assert from 'node:assert/strict';
import { test } from 'node:test';
import { joinDemo, keepPicture, launchBrowser, openPage, seesAndHears } from '../support/browser.ts';
import { Stack } from '../support/stack.ts';

const tiles = (local: boolean) => `[data-testid=tile][data-local=${local}]`;

test('two browsers see and hear each other through the demo page, and one sees the other leave', async (t) => {
  const stack = await Stack.start(t);
  await stack.startDaemon('daemon-a');
  const [alice, bob] = await Promise.all(
    ['alice', 'bob'].map(async () => openPage(t, await launchBrowser(t), stack.controlPlaneUrl)),
  );
  assert.ok(alice && bob);
  await joinDemo(alice, 'lobby', 'Alice');
  await joinDemo(bob, 'lobby', 'Bob');
  await Promise.all([seesAndHears(alice), seesAndHears(bob)]);
  await keepPicture(alice, 'two-browsers');
  assert.equal(await alice.locator(tiles(false)).count(), 1);
  assert.match((await alice.locator(tiles(false)).textContent()) ?? '', /Bob/);

  await bob.close();
  await alice.locator(tiles(false)).waitFor({ state: 'detached' });
  assert.equal(await alice.locator(tiles(true)).count(), 1);
});
