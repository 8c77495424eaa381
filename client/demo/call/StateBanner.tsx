import type { RoomState } from '../../src/index.ts';
import { lostWords } from '../words/lostWords.ts';

/** The attempt from which a loss is shown: most losses end earlier. */
const FIRST_TOLD_ATTEMPT = 3;

interface StateBannerProps {
  readonly state: RoomState;
  /** Whether the control plane cannot be reached. */
  readonly serviceAway: boolean;
}

/** Says why media is or may be interrupted, and otherwise whether nobody new can join. */
export function StateBanner({ state, serviceAway }: StateBannerProps) {
  switch (state.status) {
    case 'connecting':
    case 'closed':
      return null;
    case 'connected':
    case 'moving':
      return serviceAway ? <ServiceAway /> : null;
    // A socket that stays lost usually means a dead server, so media has probably stopped.
    case 'resuming':
    case 'reconnecting': {
      if (state.attempt < FIRST_TOLD_ATTEMPT) return serviceAway ? <ServiceAway /> : null;
      const { title, text } = lostWords(state);
      const { code } = state.failure ?? state.reason;
      return (
        <div class="banner" role="status" data-testid="lost" data-code={code}>
          <span class="spinner" aria-hidden="true" />
          <p>
            <strong>{title}.</strong> {text} The call goes on by itself as soon as it works.
          </p>
        </div>
      );
    }
  }
}

function ServiceAway() {
  return (
    <p class="service-away" role="status" data-testid="service-away">
      Your call goes on. The service cannot be reached just now, so nobody new can join.
    </p>
  );
}
