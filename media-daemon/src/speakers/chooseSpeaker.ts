import type { types } from 'mediasoup';

/** The dominant speaker of one router. */
export type Speaker = {
  readonly producer: types.Producer;
  /** In dBov, averaged over the last measurements. */
  readonly loudness: number;
};

/** How much louder the speaker of another router must be to take over, dB: twice the amplitude. */
const TAKE_OVER_DB = 6;

/**
 * Chooses the active speaker of a room from the dominant speakers of its routers. The active speaker stays, unless its
 * router names another one or the speaker of another router is clearly louder.
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
