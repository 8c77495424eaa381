import assert from 'node:assert/strict';
import { test } from 'node:test';
import { joinRoom, openSdkPages, type SdkWindow, seesMore } from '../support/sdkPage.ts';
import { Stack } from '../support/stack.ts';

/** The aim is below six seconds; a busy machine may be ten times as slow. */
const MOST_OUTAGE_MS = 60_000;

test('a call continues on another daemon when its daemon freezes', async (t) => {
  const stack = await Stack.start(t);
  const [daemons, pages] = await Promise.all([stack.startDaemons(['daemon-a', 'daemon-b']), openSdkPages(t, 2)]);
  await Promise.all(
    pages.map((page, index) =>
      joinRoom(page, { controlPlaneUrl: stack.controlPlaneUrl, roomId: 'room', peerId: `peer-${index}` }),
    ),
  );
  await Promise.all(pages.map((page) => seesMore(page, 1)));
  const { daemonId } = await stack.assign('room', 'looking');
  const serving = daemons.get(daemonId);
  if (!serving) throw new Error(`The room is at ${daemonId}, which this test did not start`);
  const longest = () => Math.max(...Object.values((globalThis as unknown as SdkWindow).watch.longestGaps()));
  for (const page of pages) await page.evaluate(longest);
  for (const page of pages) {
    await page.evaluate(() => {
      const noting = globalThis as unknown as SdkWindow & { states: string[] };
      const from = performance.now();
      noting.states = [];
      noting.room.on('stateChanged', ({ status }) =>
        noting.states.push(`${status} ${Math.round(performance.now() - from)}`),
      );
    });
  }
  const thaw = await serving.freeze();
  try {
    await Promise.all(
      pages.map((page) =>
        page.waitForFunction((former) => {
          const { state } = (globalThis as unknown as SdkWindow).room;
          return state.status === 'connected' && state.daemonId !== former;
        }, daemonId),
      ),
    );
    await Promise.all(pages.map((page) => seesMore(page, 1)));
    const frozen = await Promise.all(pages.map((page) => page.evaluate(longest)));
    t.diagnostic(`frozen video: ${frozen.join(', ')} ms`);
    assert.ok(Math.max(...frozen) < MOST_OUTAGE_MS);
    for (const page of pages) {
      const states = await page.evaluate(() => (globalThis as unknown as { states: string[] }).states);
      t.diagnostic(`states, with ms: ${states.join(', ')}`);
    }
  } finally {
    thaw();
  }
});
