import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { types } from 'mediasoup';
import { consumerScore } from './consumerScore.ts';

const producing = (encodings: number, scores: number[]) => ({
  rtpParameters: { codecs: [], encodings: Array.from({ length: encodings }, () => ({})) },
  score: scores.map((score, encodingIdx) => ({ encodingIdx, ssrc: encodingIdx, score })),
});
const score = { score: 9, producerScore: 10, producerScores: [10, 10, 10] };

test('`consumerScore` has the producer’s scores and that of the received layer', () => {
  const receiving = { score, type: 'simulcast' as types.ConsumerType, currentLayers: { spatialLayer: 1 } };
  assert.deepEqual(consumerScore(receiving, producing(3, [8, 4])), {
    score: 9,
    producerScore: 4,
    producerScores: [8, 4, 0],
  });
  assert.equal(consumerScore({ ...receiving, currentLayers: undefined }, producing(3, [8, 4])).producerScore, 0);
});

test('`consumerScore` of a producer with one stream is that stream’s score', () => {
  for (const type of ['simple', 'svc'] as const)
    assert.deepEqual(consumerScore({ score, type, currentLayers: { spatialLayer: 2 } }, producing(1, [6])), {
      score: 9,
      producerScore: 6,
      producerScores: [6],
    });
});
