import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { SentLayers } from './SentLayers.ts';

/** A sender of three encodings, low to high, that takes a moment to change. */
function sending(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let active = [true, true, true];
  const changes: string[] = [];
  const sender = {
    getParameters: () => ({ encodings: active.map((isActive) => ({ active: isActive })) }),
    setParameters: async ({ encodings }: RTCRtpSendParameters) => {
      await settled();
      active = encodings.map((encoding) => encoding.active === true);
      changes.push(active.map(Number).join(''));
    },
  };
  const layers = new SentLayers(sender as unknown as RTCRtpSender);
  const pass = async (ms: number) => {
    t.mock.timers.tick(ms);
    await settled();
    await settled();
  };
  return { layers, changes, pass, active: () => active };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('`SentLayers` turns encodings off after less was wanted for 2 s', async (t) => {
  const { layers, changes, pass } = sending(t);
  layers.want(0);
  await pass(1_999);
  assert.deepEqual(changes, []);
  await pass(1);
  assert.deepEqual(changes, ['100']);
  layers.want(-1);
  await pass(2_000);
  assert.deepEqual(changes, ['100', '000']);
});

test('`SentLayers` turns encodings on at once when more is wanted', async (t) => {
  const { layers, changes, pass } = sending(t);
  layers.want(-1);
  await pass(2_000);
  layers.want(1);
  await pass(0);
  layers.want(2);
  await pass(0);
  assert.deepEqual(changes, ['000', '110', '111']);
});

test('`SentLayers` changes nothing when less is wanted for a moment only', async (t) => {
  const { layers, changes, pass } = sending(t);
  layers.want(1);
  await pass(1_500);
  layers.want(2);
  await pass(1_500);
  layers.want(0);
  await pass(1_500);
  layers.want(1);
  await pass(1_500);
  assert.deepEqual(changes, []);
  await pass(500);
  assert.deepEqual(changes, ['110'], 'what is wanted at last');
});

test('`SentLayers` ends with what is wanted last, while an earlier change is under way', async (t) => {
  const { layers, pass, active } = sending(t);
  layers.want(-1);
  t.mock.timers.tick(2_000);
  layers.want(2);
  await pass(0);
  await pass(0);
  assert.deepEqual(active(), [true, true, true]);
});

test('`SentLayers` changes nothing after it was closed', async (t) => {
  const { layers, changes, pass } = sending(t);
  layers.want(0);
  layers.close();
  await pass(5_000);
  assert.deepEqual(changes, []);
});
