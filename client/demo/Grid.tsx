import { type ComponentChildren, toChildArray } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { gridLayout } from './gridLayout.ts';

/** Lays its children out as the largest 16:9 tiles that fit. */
export function Grid({ children }: { children: ComponentChildren }) {
  const area = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const element = area.current;
    if (!element) return;
    const observer = new ResizeObserver(([entry]) => {
      if (entry) setSize({ width: entry.contentRect.width, height: entry.contentRect.height });
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const { columns, tileWidth, tileHeight } = gridLayout(toChildArray(children).length, size.width, size.height);
  return (
    <div class="grid-area" ref={area}>
      <div
        class="grid"
        style={{ '--columns': String(columns), '--tile-width': `${tileWidth}px`, '--tile-height': `${tileHeight}px` }}
      >
        {children}
      </div>
    </div>
  );
}
