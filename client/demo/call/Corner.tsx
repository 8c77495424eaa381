import type { Quality, RoomStats } from '../../src/index.ts';
import { bitrate, layer, percent, picture } from './numbers.ts';
import type { Picture } from './people.ts';
import { qualityOf } from './quality.ts';

interface CornerProps {
  readonly shown: Picture;
  readonly stats: RoomStats | undefined;
  /** Whether to show numbers beside the badge. */
  readonly numbers: boolean;
}

const BARS: Record<Quality, number> = { unknown: 0, poor: 1, fair: 2, good: 3 };

/** The corner of a tile: the quality of the received tracks, and optionally their numbers. */
export function Corner({ shown, stats, numbers }: CornerProps) {
  if (!stats) return null;
  const { peerId, local, source, name } = shown;
  const received = stats.remote.filter(({ track }) => track.peerId === peerId && isShown(track.source, source));
  const quality = local ? stats.quality : qualityOf(received.filter(({ track }) => !track.muted && !track.paused));
  return (
    <>
      {quality !== 'unknown' && (
        <span
          class={`quality ${quality}`}
          role="img"
          aria-label={`Connection of ${name}: ${quality}`}
          data-quality={quality}
        >
          {[1, 2, 3].map((bar) => (
            <span key={bar} class={bar <= BARS[quality] ? 'on' : ''} />
          ))}
        </span>
      )}
      {numbers && <Numbers stats={stats} shown={shown} />}
    </>
  );
}

function Numbers({ stats, shown: { peerId, local, source } }: { stats: RoomStats; shown: Picture }) {
  const video = local
    ? stats.local.find(({ track }) => track.source === source)
    : stats.remote.find(({ track }) => track.peerId === peerId && track.source === source);
  if (!video) return null;
  const lines = [
    picture(video),
    `${bitrate(video.bitrate)}, ${percent(video.lossRate)} lost`,
    'layerCount' in video ? layer(video) : `${video.layers.filter(({ bitrate: bits }) => bits > 0).length} layers sent`,
  ];
  return (
    <span class="numbers" data-testid="numbers">
      {lines.map((line) => line && <span key={line}>{line}</span>)}
    </span>
  );
}

const isShown = (of: string | undefined, source: 'camera' | 'screen'): boolean =>
  source === 'screen' ? of === 'screen' || of === 'screenAudio' : of === 'camera' || of === 'microphone';
