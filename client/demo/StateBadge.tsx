import type { RoomState } from '../src/index.ts';

const WORDS: Record<RoomState['status'], string> = {
  connecting: 'Connecting…',
  connected: 'Connected',
  reconnecting: 'Reconnecting…',
  closed: 'Call ended',
};

export function StateBadge({ status }: { status: RoomState['status'] }) {
  return (
    <output class="badge" data-testid="state" data-status={status} aria-live="polite">
      <span class="dot" aria-hidden="true" />
      {WORDS[status]}
    </output>
  );
}
