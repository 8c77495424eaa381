import { TypedEmitter } from '../../src/events.ts';
import type { Room } from '../../src/index.ts';

/** How often a service that is there is asked, ms: nothing in a running call hangs on it. */
const THERE_MS = 30_000;
/** How often one that does not answer is asked, ms. */
const AWAY_MS = 3_000;
/** How long it may take to answer, ms. */
const TIMEOUT_MS = 5_000;
/** How often in a row it must fail to count as away: a single request may be lost with nothing amiss. */
const FAILURES = 2;

/**
 * Whether the service that lets people in, and gives who loses their media server another, can be reached. A running call
 * does without it, so the room has no cause to ask: the page does, while it is looked at.
 */
export class ServiceWatch extends TypedEmitter<{ changed: [] }> {
  readonly #healthUrl: string;
  readonly #closing = new AbortController();
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asking = false;

  constructor(room: Room, serviceUrl: string) {
    super();
    this.#healthUrl = `${serviceUrl}/health`;
    const { signal } = this.#closing;
    document.addEventListener('visibilitychange', () => void this.#ask(), { signal });
    addEventListener('online', () => void this.#ask(), { signal });
    const stop = room.on('stateChanged', (state) => {
      // The room has just asked it in vain.
      if ('failure' in state && state.failure?.code === 'CONTROL_PLANE_UNREACHABLE') void this.#ask();
    });
    signal.addEventListener('abort', stop);
    this.#askIn(THERE_MS);
  }

  get away(): boolean {
    return this.#failures >= FAILURES;
  }

  close(): void {
    this.#closing.abort();
    clearTimeout(this.#timer);
  }

  #askIn(ms: number): void {
    clearTimeout(this.#timer);
    if (!this.#closing.signal.aborted) this.#timer = setTimeout(() => void this.#ask(), ms);
  }

  async #ask(): Promise<void> {
    // A page that nobody looks at asks again when it is shown.
    if (this.#asking || document.visibilityState === 'hidden') return;
    this.#asking = true;
    const before = this.away;
    this.#failures = (await this.#isThere()) ? 0 : this.#failures + 1;
    this.#asking = false;
    if (this.away !== before) this.emit('changed');
    this.#askIn(this.#failures > 0 ? AWAY_MS : THERE_MS);
  }

  async #isThere(): Promise<boolean> {
    try {
      const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(TIMEOUT_MS)]);
      return (await fetch(this.#healthUrl, { cache: 'no-store', signal })).ok;
    } catch {
      return false;
    }
  }
}
