import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { Icon } from '../Icon.tsx';

interface PanelProps {
  readonly title: string;
  readonly name: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

/** A panel beside the stage, or over it on a phone. Escape closes it and returns the focus. */
export function Panel({ title, name, onClose, children }: PanelProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  // At once, so that the next key press goes to the panel.
  useLayoutEffect(() => {
    const before = document.activeElement;
    heading.current?.focus();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, [name]);
  return (
    <aside
      class="panel"
      data-testid={`panel-${name}`}
      aria-label={title}
      onKeyDown={(event) => event.key === 'Escape' && onClose()}
    >
      <header>
        <h2 ref={heading} tabIndex={-1}>
          {title}
        </h2>
        <button type="button" class="quiet icon-only" aria-label={`Close: ${title}`} onClick={onClose}>
          <Icon name="close" />
        </button>
      </header>
      {children}
    </aside>
  );
}
