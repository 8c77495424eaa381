import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LocalTrack } from '../LocalTrack.ts';
import type { RemoteTrack } from '../RemoteTrack.ts';
import { StatsSummary } from './StatsSummary.ts';

const local = { track: { id: 'camera' } } as unknown as LocalTrack;
const remote = { track: { id: 'theirs' }, layers: undefined, layerCount: 1 } as unknown as RemoteTrack;
const tracks = { local: [local], remote: [remote] };
const report = (stats: object[]) => new Map(stats.map((stat) => [(stat as { id: string }).id, stat])) as RTCStatsReport;

/** What two connections say after so many seconds; both count the same ids. */
function reports(seconds: number, { lost = 0, roundTrip = 0.02 } = {}) {
  const timestamp = seconds * 1000;
  const path = [
    { id: 'T', type: 'transport', timestamp, selectedCandidatePairId: 'P' },
    { id: 'P', type: 'candidate-pair', timestamp, currentRoundTripTime: roundTrip },
  ];
  const sent = (id: string, frameHeight: number, rate: number) => ({
    id,
    type: 'outbound-rtp',
    timestamp,
    mediaSourceId: 'S',
    codecId: 'C',
    frameHeight,
    bytesSent: seconds * rate,
  });
  return [
    report([
      ...path,
      { id: 'S', type: 'media-source', timestamp, trackIdentifier: 'camera' },
      { id: 'C', type: 'codec', timestamp, mimeType: 'video/VP8' },
      sent('O1', 180, 1000),
      sent('O2', 360, 3000),
    ]),
    report([
      ...path,
      { id: 'C', type: 'codec', timestamp, mimeType: 'audio/opus' },
      {
        id: 'O1',
        type: 'inbound-rtp',
        timestamp,
        trackIdentifier: 'theirs',
        codecId: 'C',
        bytesReceived: seconds * 500,
        packetsReceived: seconds * 50 - lost,
        packetsLost: lost,
      },
    ]),
  ];
}

test('`StatsSummary` gives rates since the previous summary, of each track and of all', () => {
  const summary = new StatsSummary();
  assert.equal(summary.update('daemon', reports(1), tracks).sendBitrate, 0);
  const stats = summary.update('daemon', reports(3), tracks);
  assert.equal(stats.sendBitrate, 32_000);
  assert.equal(stats.receiveBitrate, 4_000);
  assert.equal(stats.roundTripMs, 20);
  const [camera] = stats.local;
  assert.deepEqual([camera?.codec, camera?.height, camera?.bitrate], ['video/VP8', 360, 32_000]);
  assert.deepEqual(
    camera?.layers.map(({ height, bitrate }) => [height, bitrate]),
    [
      [180, 8_000],
      [360, 24_000],
    ],
  );
  assert.equal(stats.remote[0]?.codec, 'audio/opus');
});

test('`StatsSummary` rates a call poor or fair by its loss since the previous summary or by its round trip', () => {
  const summary = new StatsSummary();
  const quality = (seconds: number, options = {}) =>
    summary.update('daemon', reports(seconds, options), tracks).quality;
  assert.equal(quality(1), 'good');
  assert.equal(quality(2, { lost: 10 }), 'poor');
  assert.equal(quality(3, { lost: 12 }), 'fair');
  assert.equal(quality(4, { lost: 12 }), 'good');
  assert.equal(quality(5, { lost: 12, roundTrip: 0.3 }), 'fair');
  assert.equal(quality(6, { lost: 12, roundTrip: 0.7 }), 'poor');
  assert.equal(summary.update(undefined, [], tracks).quality, 'unknown');
});
