import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bundle } from './bundle.ts';

const from = new URL('./', import.meta.url);

test('a page that uses the devices alone loads nothing of the rest of the SDK, nor of mediasoup-client', async () => {
  const all = await bundle("export * from './src/index.ts';", { from });
  assert.match(all, /RTCPeerConnection/);
  const devices = await bundle("export { listDevices, openDevice } from './src/index.ts';", { from });
  assert.match(devices, /getUserMedia/);
  assert.doesNotMatch(devices, /RTCPeerConnection|WebSocket|AudioContext/);
});

test('the SDK loads no schemas, which its types alone come from', async () => {
  const own = await bundle("export * from './src/index.ts';", { from, external: ['mediasoup-client'] });
  assert.doesNotMatch(own, /ZodType|zod/);
});
