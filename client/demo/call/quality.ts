import type { Quality, RemoteTrackStats } from '../../src/index.ts';

/** Shares of lost packets from which loss is noticed, and from which a call is hard to follow. */
const FAIR_LOSS = 0.02;
const POOR_LOSS = 0.08;
/** Jitter from which sound is distorted, a little and much, ms. */
const FAIR_JITTER_MS = 40;
const POOR_JITTER_MS = 120;
/** The frame rate below which video does not look like motion. */
const POOR_FRAMES = 8;

type Measured = Pick<RemoteTrackStats, 'lossRate' | 'jitterMs' | 'framesPerSecond'>;

/** The quality of a person: that of the worst of their tracks. */
export function qualityOf(tracks: readonly Measured[]): Quality {
  if (tracks.length === 0) return 'unknown';
  const loss = Math.max(...tracks.map(({ lossRate }) => lossRate));
  const jitter = Math.max(...tracks.map(({ jitterMs }) => jitterMs ?? 0));
  const frames = Math.min(...tracks.map(({ framesPerSecond }) => framesPerSecond ?? Number.POSITIVE_INFINITY));
  if (loss > POOR_LOSS || jitter > POOR_JITTER_MS || frames < POOR_FRAMES) return 'poor';
  return loss > FAIR_LOSS || jitter > FAIR_JITTER_MS ? 'fair' : 'good';
}
