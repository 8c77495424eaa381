import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  joinDemo,
  keepPicture,
  openBrowser,
  otherTrackThan,
  remoteVideoTrack,
  seesAndHears,
} from './testing/browser.ts';
import { Stack } from './testing/stack.ts';

const tiles = (local: boolean) => `[data-testid=tile][data-local=${local}]`;

test('two browsers see and hear each other through the demo page, and notice when one goes', async (t) => {
  const stack = await Stack.start(t);
  await stack.startDaemon('daemon-a');
  const [alice, bob] = await Promise.all([
    openBrowser(t, stack.controlPlaneUrl),
    openBrowser(t, stack.controlPlaneUrl),
  ]);
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

test('after the death of the media worker two browsers see and hear each other again', async (t) => {
  const stack = await Stack.start(t);
  const daemon = await stack.startDaemon('daemon-a');
  const [alice, bob] = await Promise.all([
    openBrowser(t, stack.controlPlaneUrl),
    openBrowser(t, stack.controlPlaneUrl),
  ]);
  await joinDemo(alice, 'lobby', 'Alice');
  await joinDemo(bob, 'lobby', 'Bob');
  await Promise.all([seesAndHears(alice), seesAndHears(bob)]);
  const before = await Promise.all([remoteVideoTrack(alice), remoteVideoTrack(bob)]);
  const killed = Date.now();
  await daemon.killWorkers();
  // Each sees the other by a track of the new session, not by the last picture of the old one.
  await Promise.all([otherTrackThan(alice, before[0]), otherTrackThan(bob, before[1])]);
  await Promise.all([seesAndHears(alice), seesAndHears(bob)]);
  t.diagnostic(`media back on both sides ${Date.now() - killed} ms after kill -9 of every worker`);
});
