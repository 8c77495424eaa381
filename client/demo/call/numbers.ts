import type { LocalTrackStats, RemoteTrackStats } from '../../src/index.ts';

/** A bit rate for people to read. */
export function bitrate(bits: number): string {
  return bits >= 1_000_000 ? `${(bits / 1_000_000).toFixed(2)} Mbit/s` : `${Math.round(bits / 1000)} kbit/s`;
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

/** The size and frame rate of a picture. */
export function picture({ width, height, framesPerSecond }: LocalTrackStats | RemoteTrackStats): string | undefined {
  if (width === undefined || height === undefined) return undefined;
  return `${width}×${height}${framesPerSecond === undefined ? '' : `, ${Math.round(framesPerSecond)} fps`}`;
}

/** Which of a track's layers is received; the last is the largest. */
export function layer({ layers, layerCount }: RemoteTrackStats): string | undefined {
  return layers && layerCount > 1 ? `layer ${layers.spatialLayer + 1} of ${layerCount}` : undefined;
}
