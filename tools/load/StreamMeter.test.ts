import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StreamMeter } from './StreamMeter.ts';

/** What is measured of packets that come at their time, each 20 ms of Opus. */
function measure(sequences: readonly number[], arrival = (index: number) => index * 20) {
  const meter = new StreamMeter(48_000);
  meter.asked(-5);
  for (const [index, sequence] of sequences.entries()) {
    const packet = Buffer.alloc(20);
    packet.writeUInt16BE(sequence & 0xffff, 2);
    packet.writeUInt32BE(index * 960, 4);
    meter.take(packet, arrival(index));
  }
  return meter.report;
}

test('`StreamMeter` counts what is lost, also where the sequence number begins anew', () => {
  const { received, lost, duplicates, outOfOrder, bytes } = measure([65_533, 65_534, 65_536, 65_538]);
  assert.deepEqual(
    { received, lost, duplicates, outOfOrder, bytes },
    {
      received: 4,
      lost: 2,
      duplicates: 0,
      outOfOrder: 0,
      bytes: 80,
    },
  );
});

test('`StreamMeter` tells what comes late or twice from what is lost', () => {
  const { received, lost, duplicates, outOfOrder } = measure([10, 12, 11, 12, 9, 13]);
  assert.deepEqual({ received, lost, duplicates, outOfOrder }, { received: 5, lost: 0, duplicates: 1, outOfOrder: 2 });
});

test('`StreamMeter` measures jitter against the timestamps, and the wait for the first packet', () => {
  assert.equal(measure([1, 2, 3]).jitterMs, 0);
  assert.equal(measure([1, 2], (index) => index * 36).jitterMs, 1, 'a sixteenth of 16 ms');
  assert.equal(measure([1]).firstPacketMs, 5);
  assert.equal(measure([]).firstPacketMs, undefined);
});
