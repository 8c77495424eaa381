import type { RoomState } from '../../src/index.ts';

/** The state of the connection in one word. */
export function StateBadge({ state }: { state: RoomState }) {
  return (
    <output class="badge" data-testid="state" data-status={state.status}>
      <span class="dot" aria-hidden="true" />
      <span class="badge-words">{stateWords(state)}</span>
    </output>
  );
}

export function stateWords(state: RoomState): string {
  switch (state.status) {
    case 'connecting':
      return 'Connecting…';
    case 'connected':
      return 'Connected';
    case 'resuming':
      return 'Resuming…';
    case 'moving':
      return 'Moving…';
    case 'reconnecting':
      return 'Reconnecting…';
    case 'closed':
      return 'Call ended';
  }
}
