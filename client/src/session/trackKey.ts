/**
 * What the SDK adds to a producer's `appData`, under a name that applications leave alone: which of its sender's tracks
 * it is. A producer gets another id wherever its sender moves; the track keeps its own.
 */
const KEY = 'mediasoup-server';

export interface TrackKey {
  readonly trackId: string;
  /** The shorter side of the picture that is sent, in pixels. */
  readonly height?: number;
}

export const withTrackKey = (appData: Record<string, unknown>, key: TrackKey): Record<string, unknown> => ({
  ...appData,
  [KEY]: key,
});

/** Takes the two apart; a sender without this SDK gives no key. */
export function splitTrackKey(all: Record<string, unknown>): {
  appData: Record<string, unknown>;
  key: TrackKey | undefined;
} {
  const { [KEY]: key, ...appData } = all;
  return { appData, key: isTrackKey(key) ? key : undefined };
}

function isTrackKey(key: unknown): key is TrackKey {
  return typeof key === 'object' && key !== null && typeof (key as TrackKey).trackId === 'string';
}
