import assert from 'node:assert/strict';
import { test } from 'node:test';
import { layeredEncodings } from './encodings.ts';

const CHROMIUM = 'Chrome111';

test('`layeredEncodings` halves the picture from layer to layer, low to high', () => {
  assert.deepEqual(layeredEncodings('VP8', 720, CHROMIUM), [
    { rid: 'r0', scaleResolutionDownBy: 4, maxBitrate: 150_000, scalabilityMode: 'L1T3' },
    { rid: 'r1', scaleResolutionDownBy: 2, maxBitrate: 500_000, scalabilityMode: 'L1T3' },
    { rid: 'r2', scaleResolutionDownBy: 1, maxBitrate: 1_500_000, scalabilityMode: 'L1T3' },
  ]);
});

test('`layeredEncodings` has fewer layers for a smaller picture', () => {
  assert.deepEqual(
    [1080, 720, 480, 240].map((height) => layeredEncodings('H264', height, CHROMIUM).length),
    [3, 3, 2, 1],
  );
  assert.deepEqual(
    [1080, 480, 240].map((height) => layeredEncodings('VP9', height, CHROMIUM)),
    [
      [{ scalabilityMode: 'L3T3_KEY', maxBitrate: 2_500_000 }],
      [{ scalabilityMode: 'L2T3_KEY', maxBitrate: 833_333 }],
      [{ scalabilityMode: 'L1T3', maxBitrate: 266_667 }],
    ],
  );
});

test('`layeredEncodings` asks for no more than the greatest known bit rate', () => {
  assert.equal(layeredEncodings('VP9', 2160, CHROMIUM)[0]?.maxBitrate, 2_500_000);
});

test('`layeredEncodings` sends AV1 in three frame rates, and in one layer from Firefox', () => {
  assert.deepEqual(layeredEncodings('AV1', 720, CHROMIUM), [{ scalabilityMode: 'L1T3', maxBitrate: 1_500_000 }]);
  assert.deepEqual(layeredEncodings('AV1', 720, 'Firefox120'), [{ maxBitrate: 1_500_000 }]);
});
