/**
 * The name in a producer's `appData` under which the SDK adds the id of its track; applications do not use it. A track that
 * is published at another daemon has another producer id, and the same track id.
 */
const KEY = 'mediasoup-server';

export interface TrackKey {
  readonly trackId: string;
  /** The shorter side of the picture in pixels. */
  readonly height?: number;
}

export const withTrackKey = (appData: Record<string, unknown>, key: TrackKey): Record<string, unknown> => ({
  ...appData,
  [KEY]: key,
});

/** Separates the application's own data from the key, which senders without this SDK do not have. */
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
