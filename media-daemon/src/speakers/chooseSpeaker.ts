import type { types } from 'mediasoup';

/** Who speaks most on one router. */
export type Speaker = {
  readonly producer: types.Producer;
  /** In dBov, averaged over the last looks at it. */
  readonly loudness: number;
};

/** How much louder another router's speaker is who takes over: twice the amplitude. */
const TAKE_OVER_DB = 6;

/**
 * Who speaks in a room of several routers, each of which names one. It stays who it was, unless that one's router names
 * another or another router's is clearly louder.
 */
export function chooseSpeaker(
  active: types.Producer | undefined,
  speakers: readonly Speaker[],
): types.Producer | undefined {
  const loudest = [...speakers].sort((a, b) => b.loudness - a.loudness)[0];
  const current = speakers.find(({ producer }) => producer === active);
  if (!current || !loudest) return loudest?.producer;
  return loudest.loudness - current.loudness >= TAKE_OVER_DB ? loudest.producer : current.producer;
}
