import type { types } from 'mediasoup';

type Stats = types.ConsumerStat | types.ProducerStat;

/**
 * mediasoup's statistics of a consumer on another router than its producer's, with those of the producer's own stream. mediasoup
 * gives what comes over the pipe in their place, which says nothing of the sender's connection.
 */
export async function consumerStats(consumer: types.Consumer, producer: types.Producer): Promise<Stats[]> {
  const [received, sent] = await Promise.all([consumer.getStats(), producer.getStats()]);
  // Simulcast has a stream for each spatial layer, everything else has one.
  const current = consumer.type === 'simulcast' ? consumer.currentLayers?.spatialLayer : 0;
  const ssrc = producer.score.find(({ encodingIdx }) => encodingIdx === current)?.ssrc;
  return [
    ...received.filter(({ type }) => type === 'outbound-rtp'),
    ...sent.filter((stream) => ssrc !== undefined && stream.ssrc === ssrc),
  ];
}
