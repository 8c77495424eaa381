import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NetworkMeter, sumOf } from './NetworkMeter.ts';

test('the interfaces are summed, and loopback is not', () => {
  const counters = [
    'Inter-|   Receive                                                |  Transmit',
    ' face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed',
    '    lo: 9999 9 0 0 0 0 0 0 9999 9 0 0 0 0 0 0',
    '  eth0: 1000 5 0 0 0 0 0 0 200 2 0 0 0 0 0 0',
    '  ens5:10 1 0 0 0 0 0 0 2000 2 0 0 0 0 0 0',
    '',
  ].join('\n');
  assert.deepEqual(sumOf(counters), { received: 1010, sent: 2200 });
  assert.deepEqual(sumOf(''), { received: 0, sent: 0 });
});

test('this machine is measured', () => {
  const meter = new NetworkMeter();
  assert.equal(meter.read(1000), 0, 'there is nothing to compare the first reading with');
  const bitrate = meter.read(1000);
  assert.ok(Number.isFinite(bitrate) && bitrate >= 0, String(bitrate));
});
