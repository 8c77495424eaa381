import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Snapshot } from '@mediasoup-server/proto/signaling';
import { fateOf } from './lostRequest.ts';

const snapshot = {
  transports: [
    { transportId: 'send', connected: true },
    { transportId: 'recv', connected: false },
  ],
  ownProducers: [{ producerId: 'p', transportId: 'send', mid: '0', kind: 'audio', appData: {}, paused: false }],
  ownDataProducers: [{ dataProducerId: 'd', transportId: 'send', streamId: 3, label: '' }],
} as unknown as Snapshot;
const again = { is: 'ask again' };

test('`fateOf` a `produce` finds by its mid what was produced, and else asks again', () => {
  const produce = (mid?: string) => fateOf('produce', { rtpParameters: { mid } }, snapshot);
  assert.deepEqual(produce('0'), { is: 'done', answer: { producerId: 'p' } });
  assert.deepEqual(produce('1'), again);
  assert.deepEqual(produce(), again);
});

test('`fateOf` a `produceData` finds by its stream what was produced', () => {
  const produce = (streamId: number) => fateOf('produceData', { sctpStreamParameters: { streamId } }, snapshot);
  assert.deepEqual(produce(3), { is: 'done', answer: { dataProducerId: 'd' } });
  assert.deepEqual(produce(4), again);
});

test('`fateOf` a `connectWebRtcTransport` asks again only what is not connected, since that can be done once', () => {
  const connect = (transportId: string) => fateOf('connectWebRtcTransport', { transportId }, snapshot);
  assert.deepEqual(connect('send'), { is: 'done', answer: {} });
  assert.deepEqual(connect('recv'), again);
});

test('`fateOf` anything else asks again', () => {
  assert.deepEqual(fateOf('pauseProducer', { producerId: 'p' }, snapshot), again);
});
