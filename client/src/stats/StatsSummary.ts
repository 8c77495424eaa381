import type { LocalTrack } from '../LocalTrack.ts';
import type { RemoteTrack } from '../RemoteTrack.ts';
import type { LocalTrackStats, Quality, RemoteTrackStats, RoomStats } from './RoomStats.ts';

/** The fields of W3C webrtc-stats that are read here. No browser has all of them. */
interface Stat {
  readonly id: string;
  readonly type: string;
  readonly timestamp: number;
  readonly trackIdentifier?: string;
  readonly mediaSourceId?: string;
  readonly codecId?: string;
  readonly remoteId?: string;
  readonly mimeType?: string;
  readonly rid?: string;
  readonly bytesSent?: number;
  readonly bytesReceived?: number;
  readonly packetsReceived?: number;
  readonly packetsLost?: number;
  readonly fractionLost?: number;
  readonly jitter?: number;
  readonly frameWidth?: number;
  readonly frameHeight?: number;
  readonly framesPerSecond?: number;
  readonly totalFreezesDuration?: number;
  readonly qualityLimitationReason?: string;
  readonly selectedCandidatePairId?: string;
  readonly currentRoundTripTime?: number;
  readonly availableOutgoingBitrate?: number;
}

/** Shares of lost packets and round trips (ms) from which a call is fair or poor. */
const FAIR = { loss: 0.03, roundTripMs: 250 };
const POOR = { loss: 0.1, roundTripMs: 600 };

/** Summarizes a browser's statistics, with rates since the previous summary. */
export class StatsSummary {
  #before = new Map<string, Stat>();

  update(
    daemonId: string | undefined,
    reports: readonly RTCStatsReport[],
    tracks: { readonly local: readonly LocalTrack[]; readonly remote: readonly RemoteTrack[] },
  ): RoomStats {
    const now = new Map<string, Stat>();
    // Two connections may use the same ids.
    for (const [index, report] of reports.entries()) {
      for (const stat of report.values() as Iterable<Stat>) now.set(`${index}/${stat.id}`, prefixed(stat, index));
    }
    const local = tracks.local.map((track) => this.#ofLocal(track, now));
    const remote = tracks.remote.filter(({ track }) => track).map((track) => this.#ofRemote(track, now));
    const pairs = [...now.values()]
      .filter(({ type }) => type === 'transport')
      .map(({ selectedCandidatePairId }) => now.get(selectedCandidatePairId ?? ''));
    const [roundTrip] = pairs.flatMap((pair) => pair?.currentRoundTripTime ?? []);
    const [available] = pairs.flatMap((pair) => pair?.availableOutgoingBitrate ?? []);
    const roundTripMs = roundTrip === undefined ? undefined : roundTrip * 1000;
    this.#before = now;
    return {
      daemonId,
      roundTripMs,
      sendBitrate: sum(local.map(({ bitrate }) => bitrate)),
      receiveBitrate: sum(remote.map(({ bitrate }) => bitrate)),
      availableSendBitrate: available,
      quality: qualityOf(
        [...local, ...remote].map(({ lossRate }) => lossRate),
        roundTripMs,
      ),
      local,
      remote,
    };
  }

  #ofLocal(track: LocalTrack, now: ReadonlyMap<string, Stat>): LocalTrackStats {
    const streams = [...now.values()].filter(
      ({ type, mediaSourceId }) =>
        type === 'outbound-rtp' && now.get(mediaSourceId ?? '')?.trackIdentifier === track.track.id,
    );
    const layers = streams
      .map((stream) => ({
        rid: stream.rid,
        width: stream.frameWidth,
        height: stream.frameHeight,
        framesPerSecond: stream.framesPerSecond,
        bitrate: this.#rate(stream, 'bytesSent') * 8,
      }))
      .sort((a, b) => (a.height ?? 0) - (b.height ?? 0));
    const sent = layers.filter(({ bitrate }) => bitrate > 0);
    const largest = sent.at(-1) ?? layers.at(-1);
    const limited = streams
      .map((stream) => stream.qualityLimitationReason)
      .find((reason) => reason && reason !== 'none');
    return {
      track,
      codec: now.get(streams[0]?.codecId ?? '')?.mimeType,
      bitrate: sum(layers.map(({ bitrate }) => bitrate)),
      lossRate: Math.max(0, ...streams.map(({ remoteId }) => now.get(remoteId ?? '')?.fractionLost ?? 0)),
      width: largest?.width,
      height: largest?.height,
      framesPerSecond: largest?.framesPerSecond,
      limitedBy: limited as LocalTrackStats['limitedBy'],
      layers: layers.map(({ rid, width, height, bitrate }) => ({ rid, width, height, bitrate })),
    };
  }

  #ofRemote(track: RemoteTrack, now: ReadonlyMap<string, Stat>): RemoteTrackStats {
    const stream = [...now.values()].find(
      ({ type, trackIdentifier }) => type === 'inbound-rtp' && trackIdentifier === track.track?.id,
    );
    const lost = stream ? this.#since(stream, 'packetsLost') : 0;
    const all = stream ? lost + this.#since(stream, 'packetsReceived') : 0;
    const { jitter, totalFreezesDuration } = stream ?? {};
    return {
      track,
      codec: now.get(stream?.codecId ?? '')?.mimeType,
      bitrate: stream ? this.#rate(stream, 'bytesReceived') * 8 : 0,
      // Browsers subtract packets that arrive late from the lost ones, so the difference may be negative.
      lossRate: all > 0 ? Math.max(0, lost / all) : 0,
      jitterMs: jitter === undefined ? undefined : jitter * 1000,
      width: stream?.frameWidth,
      height: stream?.frameHeight,
      framesPerSecond: stream?.framesPerSecond,
      frozenMs: totalFreezesDuration === undefined ? undefined : totalFreezesDuration * 1000,
      layers: track.layers,
      layerCount: track.layerCount,
    };
  }

  #since(stat: Stat, field: 'bytesSent' | 'bytesReceived' | 'packetsReceived' | 'packetsLost'): number {
    return (stat[field] ?? 0) - (this.#before.get(stat.id)?.[field] ?? 0);
  }

  /** Bytes a second since the previous summary; 0 if that did not have the stream. */
  #rate(stat: Stat, field: 'bytesSent' | 'bytesReceived'): number {
    const before = this.#before.get(stat.id);
    const seconds = before ? (stat.timestamp - before.timestamp) / 1000 : 0;
    return seconds > 0 ? Math.max(0, this.#since(stat, field)) / seconds : 0;
  }
}

/** A copy whose ids, and references to ids, are unique among all connections. */
function prefixed(stat: Stat, index: number): Stat {
  const reference = (id: string | undefined): string | undefined => (id === undefined ? undefined : `${index}/${id}`);
  const { id, mediaSourceId, codecId, remoteId, selectedCandidatePairId, ...rest } = stat;
  const ids = {
    mediaSourceId: reference(mediaSourceId),
    codecId: reference(codecId),
    remoteId: reference(remoteId),
    selectedCandidatePairId: reference(selectedCandidatePairId),
  };
  return { ...rest, ...ids, id: `${index}/${id}` } as Stat;
}

function qualityOf(lossRates: readonly number[], roundTripMs: number | undefined): Quality {
  if (roundTripMs === undefined) return 'unknown';
  const loss = Math.max(0, ...lossRates);
  if (loss >= POOR.loss || roundTripMs >= POOR.roundTripMs) return 'poor';
  return loss >= FAIR.loss || roundTripMs >= FAIR.roundTripMs ? 'fair' : 'good';
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
