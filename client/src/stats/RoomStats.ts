import type { LocalTrack } from '../LocalTrack.ts';
import type { RemoteTrack } from '../RemoteTrack.ts';
import type { Layers } from '../session/Subscription.ts';

/** How good a call is for the person who is in it. */
export type Quality = 'good' | 'fair' | 'poor' | 'unknown';

/** How well a call goes. Rates are those since the summary before; bit rates are in bits a second. */
export interface RoomStats {
  /** The media daemon that the peer is on. */
  readonly daemonId: string | undefined;
  /** Between this peer and its daemon, as ICE measures it. */
  readonly roundTripMs: number | undefined;
  readonly sendBitrate: number;
  readonly receiveBitrate: number;
  /** What the browser thinks that the network takes. */
  readonly availableSendBitrate: number | undefined;
  readonly quality: Quality;
  readonly local: readonly LocalTrackStats[];
  readonly remote: readonly RemoteTrackStats[];
}

interface TrackStats {
  /** For example `video/VP8`. */
  readonly codec: string | undefined;
  readonly bitrate: number;
  /** The share of packets that were lost on the way, 0 to 1. */
  readonly lossRate: number;
  readonly width: number | undefined;
  readonly height: number | undefined;
  readonly framesPerSecond: number | undefined;
}

export interface LocalTrackStats extends TrackStats {
  readonly track: LocalTrack;
  /** Why less is sent than could be. */
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
  /** How long the picture has stood still altogether, as the browser counts it. */
  readonly frozenMs: number | undefined;
  readonly layers: Layers | undefined;
  readonly layerCount: number;
}
