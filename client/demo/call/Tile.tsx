import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { Icon } from '../Icon.tsx';
import { hue, initials } from '../names.ts';
import type { Picture } from './people.ts';
import type { Place } from './stageLayout.ts';

interface TileProps {
  readonly picture: Picture;
  readonly place: Place;
  readonly speaking: boolean;
  readonly pinned: boolean;
  readonly onPin: () => void;
  /** Shown in the corner: the quality badge and numbers. */
  readonly children?: ComponentChildren;
}

/** A person or a shared screen on the stage. */
export function Tile({ picture, place, speaking, pinned, onPin, children }: TileProps) {
  const { peerId, name, local, source, video, microphoneOff } = picture;
  const element = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const shown = element.current;
    if (!shown || !video) return;
    if (!(video instanceof MediaStreamTrack)) return video.attach(shown);
    const stream = new MediaStream([video]);
    shown.srcObject = stream;
    return () => {
      if (shown.srcObject === stream) shown.srcObject = null;
    };
  }, [video]);

  const label = source === 'screen' ? `${local ? 'Your' : `${name}'s`} screen` : local ? `${name} (you)` : name;
  const { left, top, width, height } = place;
  return (
    <figure
      class={`tile ${source} ${local && source === 'camera' ? 'mirrored' : ''} ${speaking ? 'speaking' : ''}`}
      style={{ transform: `translate(${left}px, ${top}px)`, width: `${width}px`, height: `${height}px` }}
      data-testid="tile"
      data-peer-id={peerId}
      data-local={String(local)}
      data-source={source}
      data-speaking={String(speaking)}
    >
      <video ref={element} autoplay playsInline muted hidden={!video} aria-label={`Video of ${label}`} />
      {!video && (
        <div class="avatar" style={{ '--hue': String(hue(peerId)) }} aria-hidden="true">
          {initials(name)}
        </div>
      )}
      <figcaption>
        {source === 'camera' && microphoneOff && (
          <span class="mic-off" role="img" aria-label="microphone off">
            <Icon name="mic" crossed />
          </span>
        )}
        {source === 'screen' && <Icon name="screen" />}
        <span class="name">{label}</span>
        {speaking && <span class="visually-hidden">is speaking</span>}
      </figcaption>
      <div class="corner">{children}</div>
      <button
        type="button"
        class={`pin ${pinned ? 'pinned' : ''}`}
        aria-pressed={pinned}
        aria-label={`Keep ${label} large`}
        title={pinned ? 'Stop keeping it large' : 'Keep it large'}
        onClick={onPin}
      >
        <Icon name="pin" />
      </button>
    </figure>
  );
}
