import type { Quality, RemoteTrackStats } from '../../src/index.ts';

/** Of 100 packets so many lost are seen and heard; from the second on a call is hard to follow. */
const FAIR_LOSS = 0.02;
const POOR_LOSS = 0.08;
/** Sound is stretched and squeezed noticeably beyond these, ms of jitter. */
const FAIR_JITTER_MS = 40;
const POOR_JITTER_MS = 120;
/** Fewer pictures a second than this do not look like motion. */
const POOR_FRAMES = 8;

type Measured = Pick<RemoteTrackStats, 'lossRate' | 'jitterMs' | 'framesPerSecond'>;

/** How well somebody arrives here: as badly as the worst of their tracks. */
export function qualityOf(tracks: readonly Measured[]): Quality {
  if (tracks.length === 0) return 'unknown';
  const loss = Math.max(...tracks.map(({ lossRate }) => lossRate));
  const jitter = Math.max(...tracks.map(({ jitterMs }) => jitterMs ?? 0));
  const frames = Math.min(...tracks.map(({ framesPerSecond }) => framesPerSecond ?? Number.POSITIVE_INFINITY));
  if (loss > POOR_LOSS || jitter > POOR_JITTER_MS || frames < POOR_FRAMES) return 'poor';
  return loss > FAIR_LOSS || jitter > FAIR_JITTER_MS ? 'fair' : 'good';
}
