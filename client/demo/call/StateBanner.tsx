import type { RoomState } from '../../src/index.ts';
import { roomWords } from '../words/roomWords.ts';

/** Losses that are over by the first attempts are not worth a word: most are. */
const FIRST_TOLD_ATTEMPT = 3;

/** Says, while sound and pictures are interrupted or may be, why and what goes on. */
export function StateBanner({ state }: { state: RoomState }) {
  switch (state.status) {
    case 'connecting':
    case 'connected':
    case 'moving':
    case 'closed':
      return null;
    // A socket that stays lost is a dead server more often than not, whose pictures stand still.
    case 'resuming':
    case 'reconnecting': {
      if (state.attempt < FIRST_TOLD_ATTEMPT) return null;
      const { title, text } = roomWords(state.reason);
      return (
        <div class="banner" role="status" data-testid="lost" data-code={state.reason.code}>
          <span class="spinner" aria-hidden="true" />
          <p>
            <strong>{title}.</strong> {text} The call goes on by itself as soon as it works.
          </p>
        </div>
      );
    }
  }
}
