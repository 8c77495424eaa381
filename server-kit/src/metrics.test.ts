import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { counterOf } from './metrics.ts';

test('`counterOf` exports each value of its label before anything is counted', async () => {
  const registry = new Registry();
  const counter = counterOf(
    { outcome: ['ok', 'failed'] },
    { name: 'tries_total', help: 'Tries.', registers: [registry] },
  );
  const told = async () => (await counter.get()).values.map(({ labels, value }) => [labels.outcome, value]);
  assert.deepEqual(await told(), [
    ['ok', 0],
    ['failed', 0],
  ]);
  counter.inc({ outcome: 'failed' });
  assert.deepEqual(await told(), [
    ['ok', 0],
    ['failed', 1],
  ]);
  assert.match(await registry.metrics(), /^tries_total\{outcome="ok"\} 0$/m);
});
