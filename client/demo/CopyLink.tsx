import { useState } from 'preact/hooks';
import { Icon } from './Icon.tsx';

/** The address of the room for others. */
export function roomLink(roomId: string): string {
  const url = new URL(location.href);
  url.search = `?room=${encodeURIComponent(roomId)}`;
  url.hash = '';
  return url.href;
}

/** Copies the room's link, or shows it if the browser forbids copying. */
export function CopyLink({ roomId, compact = false }: { roomId: string; compact?: boolean }) {
  const [copied, setCopied] = useState<'no' | 'yes' | 'refused'>('no');
  const link = roomLink(roomId);
  const copy = () => {
    const writing = navigator.clipboard?.writeText(link) ?? Promise.reject(new Error('There is no clipboard'));
    writing.then(
      () => {
        setCopied('yes');
        setTimeout(() => setCopied('no'), 2500);
      },
      () => setCopied('refused'),
    );
  };
  return (
    <>
      <button
        type="button"
        class={compact ? 'quiet' : ''}
        onClick={copy}
        data-testid="copy-link"
        aria-label="Copy the link"
      >
        <Icon name={copied === 'yes' ? 'check' : 'link'} />
        <span class={compact ? 'wide-only' : ''} aria-live="polite">
          {copied === 'yes' ? 'Link copied' : 'Copy the link'}
        </span>
      </button>
      {copied === 'refused' && (
        <input
          class="link"
          readOnly
          value={link}
          aria-label="The link of this room"
          onFocus={(event) => event.currentTarget.select()}
        />
      )}
    </>
  );
}
