import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Snapshot } from '@mediasoup-server/proto/signaling';
import { outcomeOf } from './lostRequest.ts';

const snapshot = {
  transports: [
    { transportId: 'send', connected: true },
    { transportId: 'recv', connected: false },
  ],
  ownProducers: [{ producerId: 'p', transportId: 'send', mid: '0', kind: 'audio', appData: {}, paused: false }],
  ownDataProducers: [{ dataProducerId: 'd', transportId: 'send', streamId: 3, label: '' }],
} as unknown as Snapshot;
const again = { kind: 'repeat' };

test('`outcomeOf` a `produce` finds the producer by its mid, or repeats the request', () => {
  const produce = (mid?: string) => outcomeOf('produce', { rtpParameters: { mid } }, snapshot);
  assert.deepEqual(produce('0'), { kind: 'done', answer: { producerId: 'p' } });
  assert.deepEqual(produce('1'), again);
  assert.deepEqual(produce(), again);
});

test('`outcomeOf` a `produceData` finds the data producer by its stream', () => {
  const produce = (streamId: number) => outcomeOf('produceData', { sctpStreamParameters: { streamId } }, snapshot);
  assert.deepEqual(produce(3), { kind: 'done', answer: { dataProducerId: 'd' } });
  assert.deepEqual(produce(4), again);
});

test('`outcomeOf` a `connectWebRtcTransport` repeats it only if the transport is not connected', () => {
  const connect = (transportId: string) => outcomeOf('connectWebRtcTransport', { transportId }, snapshot);
  assert.deepEqual(connect('send'), { kind: 'done', answer: {} });
  assert.deepEqual(connect('recv'), again);
});

test('`outcomeOf` any other request repeats it', () => {
  assert.deepEqual(outcomeOf('pauseProducer', { producerId: 'p' }, snapshot), again);
});
