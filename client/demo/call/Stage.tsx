import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Picture } from './people.ts';
import { gridLayout, speakerLayout } from './stageLayout.ts';
import { Tile } from './Tile.tsx';

export type StageView = 'grid' | 'speaker';

interface StageProps {
  readonly pictures: readonly Picture[];
  readonly view: StageView;
  /** The peer that speaks, or spoke last. */
  readonly speaker: string | undefined;
  readonly isSpeaking: (peerId: string) => boolean;
  readonly corner: (picture: Picture) => ComponentChildren;
}

/** Arranges the pictures, in a grid or with one large. Each keeps its element, so that no video stops when they move. */
export function Stage({ pictures, view, speaker, isSpeaking, corner }: StageProps) {
  const area = useRef<HTMLElement>(null);
  const size = useSize(area);
  const [pinned, setPinned] = useState<string>();
  const pin = pictures.findIndex(({ key }) => key === pinned);
  const main = pin >= 0 ? pin : mainPicture(pictures, speaker);
  // A shared screen is shown large, so that it can be read.
  const large = view === 'speaker' || pin >= 0 || pictures[main]?.source === 'screen';
  const layout = large
    ? speakerLayout(pictures.length, main, size.width, size.height)
    : gridLayout(pictures.length, size.width, size.height);
  return (
    <section class="stage" ref={area} aria-label="Who is here" data-view={large ? 'speaker' : 'grid'}>
      <div class="stage-room" style={{ width: `${layout.width}px`, height: `${layout.height}px` }}>
        {pictures.map((picture, index) => {
          const place = layout.places[index];
          if (!place) return null;
          const { key, peerId, source } = picture;
          return (
            <Tile
              key={key}
              picture={picture}
              place={place}
              speaking={source === 'camera' && isSpeaking(peerId)}
              pinned={key === pinned}
              onPin={() => setPinned(key === pinned ? undefined : key)}
            >
              {corner(picture)}
            </Tile>
          );
        })}
      </div>
    </section>
  );
}

/** A shared screen, else the speaker, else the first other person. */
function mainPicture(pictures: readonly Picture[], speaker: string | undefined): number {
  const find = (wanted: (picture: Picture) => boolean) => pictures.findIndex(wanted);
  const screen = find(({ source, local }) => source === 'screen' && !local);
  if (screen >= 0) return screen;
  const speaking = find(({ peerId, local }) => peerId === speaker && !local);
  if (speaking >= 0) return speaking;
  return Math.max(
    0,
    find(({ local }) => !local),
  );
}

function useSize(element: { readonly current: HTMLElement | null }): {
  readonly width: number;
  readonly height: number;
} {
  const [size, setSize] = useState({ width: 0, height: 0 });
  useLayoutEffect(() => {
    if (!element.current) return;
    const observer = new ResizeObserver(([entry]) => {
      if (entry) setSize({ width: entry.contentRect.width, height: entry.contentRect.height });
    });
    observer.observe(element.current);
    return () => observer.disconnect();
  }, []);
  return size;
}
