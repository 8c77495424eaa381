import { useEffect } from 'preact/hooks';
import { Icon } from '../Icon.tsx';

/** How long a notice stays, ms. */
const SHOWN_MS = 8000;

interface ToastsProps {
  readonly notice: string | undefined;
  readonly onDismiss: () => void;
  /** Set if the browser requires a click before it plays sound. */
  readonly onSound: (() => void) | undefined;
}

export function Toasts({ notice, onDismiss, onSound }: ToastsProps) {
  useEffect(() => {
    if (notice === undefined) return;
    const timer = setTimeout(onDismiss, SHOWN_MS);
    return () => clearTimeout(timer);
  }, [notice]);
  return (
    <div class="toasts" role="status">
      {notice !== undefined && (
        <p class="toast" data-testid="notice">
          {notice}
          <button type="button" class="quiet icon-only" aria-label="Dismiss" onClick={onDismiss}>
            <Icon name="close" />
          </button>
        </p>
      )}
      {onSound && (
        <button type="button" class="primary" onClick={onSound}>
          Turn on the sound
        </button>
      )}
    </div>
  );
}
