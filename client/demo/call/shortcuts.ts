import { useEffect, useRef } from 'preact/hooks';

export interface Shortcut {
  /** The key's character, lower case. */
  readonly key: string;
  readonly does: string;
  readonly run: () => void;
}

/** Runs shortcuts for key presses outside of text fields. */
export function useShortcuts(shortcuts: readonly Shortcut[], enabled: boolean): void {
  const current = useRef(shortcuts);
  current.current = shortcuts;
  useEffect(() => {
    if (!enabled) return;
    const press = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || isTyping(event.target)) return;
      const pressed = current.current.find(({ key }) => key === event.key.toLowerCase());
      if (!pressed) return;
      event.preventDefault();
      pressed.run();
    };
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, [enabled]);
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest('input, textarea, select, [contenteditable]') !== null;
}
