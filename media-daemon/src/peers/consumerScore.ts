import type { types } from 'mediasoup';

type Receiving = Pick<types.Consumer, 'score' | 'type' | 'currentLayers'>;

/**
 * A consumer's score on another router than its producer's. There mediasoup scores what comes over the pipe; the client is
 * told how its producer's own connection does, as if both were on one router.
 */
export function consumerScore(
  { score: { score }, type, currentLayers }: Receiving,
  producer: Pick<types.Producer, 'score' | 'rtpParameters'>,
): types.ConsumerScore {
  const producerScores = (producer.rtpParameters.encodings ?? []).map(
    (_, encoding) => producer.score.find(({ encodingIdx }) => encodingIdx === encoding)?.score ?? 0,
  );
  // Simulcast has a stream for each spatial layer, everything else has one.
  const current = type === 'simulcast' ? currentLayers?.spatialLayer : 0;
  return { score, producerScore: current === undefined ? 0 : (producerScores[current] ?? 0), producerScores };
}
