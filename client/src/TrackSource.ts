const SOURCES = ['microphone', 'camera', 'screen', 'screenAudio'] as const;

/** What a track shows or plays; by convention in `appData.source`. */
export type TrackSource = (typeof SOURCES)[number];

export const sourceOf = ({ source }: Readonly<Record<string, unknown>>): TrackSource | undefined =>
  SOURCES.find((known) => known === source);
