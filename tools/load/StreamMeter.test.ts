import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StreamMeter } from './StreamMeter.ts';

/** The measurements of Opus packets of 20 ms that arrive on time. */
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

test('`StreamMeter` counts lost packets, also when the sequence number wraps', () => {
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

test('`StreamMeter` distinguishes late and duplicate packets from lost ones', () => {
  const { received, lost, duplicates, outOfOrder } = measure([10, 12, 11, 12, 9, 13]);
  assert.deepEqual({ received, lost, duplicates, outOfOrder }, { received: 5, lost: 0, duplicates: 1, outOfOrder: 2 });
});

test('`StreamMeter` measures jitter against the timestamps, and the wait for the first packet', () => {
  assert.equal(measure([1, 2, 3]).jitterMs, 0);
  assert.equal(measure([1, 2], (index) => index * 36).jitterMs, 1, 'a sixteenth of 16 ms');
  assert.equal(measure([1]).firstPacketMs, 5);
  assert.equal(measure([]).firstPacketMs, undefined);
});
