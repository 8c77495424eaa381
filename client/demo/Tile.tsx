import { useEffect, useRef } from 'preact/hooks';
import { Icon } from './Icon.tsx';
import { initials } from './names.ts';

export interface TileProps {
  readonly peerId: string;
  readonly name: string;
  readonly local: boolean;
  readonly source: 'camera' | 'screen';
  readonly video: MediaStreamTrack | undefined;
  /** Undefined where there is no microphone to be muted. */
  readonly micMuted: boolean | undefined;
}

/** One person, or one shared screen. Its size comes from the grid. */
export function Tile({ peerId, name, local, source, video, micMuted }: TileProps) {
  const element = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    if (!element.current) return;
    element.current.srcObject = video ? new MediaStream([video]) : null;
    if (video) element.current.play().catch(() => {});
  }, [video]);

  const label = source === 'screen' ? `${name}: screen` : local ? `${name} (you)` : name;
  return (
    <figure
      class={`tile ${source} ${local && source === 'camera' ? 'mirrored' : ''}`}
      data-testid="tile"
      data-peer-id={peerId}
      data-local={String(local)}
      data-source={source}
    >
      <video ref={element} autoplay playsInline muted hidden={!video} aria-label={`Video of ${label}`} />
      {!video && (
        <div class="avatar" style={{ '--hue': String(hue(peerId)) }} aria-hidden="true">
          {initials(name)}
        </div>
      )}
      <figcaption>
        {source === 'camera' && micMuted !== false && (
          <span class="mic-off" role="img" aria-label="microphone off">
            <Icon name="mic" crossed />
          </span>
        )}
        <span class="name">{label}</span>
      </figcaption>
    </figure>
  );
}

/** A colour for a person, the same on every screen. */
function hue(id: string): number {
  let sum = 0;
  for (const character of id) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 360;
  return sum;
}
