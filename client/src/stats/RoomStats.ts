import type { LocalTrack } from '../LocalTrack.ts';
import type { RemoteTrack } from '../RemoteTrack.ts';
import type { Layers } from '../session/Subscription.ts';

/** The quality of a call for the person in it. */
export type Quality = 'good' | 'fair' | 'poor' | 'unknown';

/** The quality of a call. Rates are those since the previous summary; bit rates are in bits a second. */
export interface RoomStats {
  /** The media daemon that the peer is on. */
  readonly daemonId: string | undefined;
  /** Between this peer and its daemon, as ICE measures it. */
  readonly roundTripMs: number | undefined;
  readonly sendBitrate: number;
  readonly receiveBitrate: number;
  /** The browser's estimate of what the network can take. */
  readonly availableSendBitrate: number | undefined;
  readonly quality: Quality;
  readonly local: readonly LocalTrackStats[];
  readonly remote: readonly RemoteTrackStats[];
}

interface TrackStats {
  /** For example `video/VP8`. */
  readonly codec: string | undefined;
  readonly bitrate: number;
  /** The share of packets that were lost, 0 to 1. */
  readonly lossRate: number;
  readonly width: number | undefined;
  readonly height: number | undefined;
  readonly framesPerSecond: number | undefined;
}

export interface LocalTrackStats extends TrackStats {
  readonly track: LocalTrack;
  /** Why the browser sends less than the full quality. */
  readonly limitedBy: 'bandwidth' | 'cpu' | 'other' | undefined;
  /** Each size that is sent. */
  readonly layers: readonly SentLayer[];
}

export interface SentLayer {
  readonly rid: string | undefined;
  readonly width: number | undefined;
  readonly height: number | undefined;
  readonly bitrate: number;
}

export interface RemoteTrackStats extends TrackStats {
  readonly track: RemoteTrack;
  readonly jitterMs: number | undefined;
  /** The total time that the picture was frozen, as the browser counts it. */
  readonly frozenMs: number | undefined;
  readonly layers: Layers | undefined;
  readonly layerCount: number;
}
