import { TypedEmitter } from '../../src/events.ts';
import type { Room } from '../../src/index.ts';

/** How often a reachable service is checked, ms: a running call does not depend on it. */
const REACHABLE_MS = 30_000;
/** How often a service that does not answer is checked, ms. */
const UNREACHABLE_MS = 3_000;
/** How long it may take to answer, ms. */
const TIMEOUT_MS = 5_000;
/** How many checks in a row must fail: a single request may be lost. */
const FAILURES = 2;

/**
 * Checks whether the control plane is reachable, which people need to join and to replace a lost media server. A running call
 * does not use it, so the visible page checks it.
 */
export class ServiceWatch extends TypedEmitter<{ changed: [] }> {
  readonly #healthUrl: string;
  readonly #closing = new AbortController();
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #checking = false;

  constructor(room: Room, serviceUrl: string) {
    super();
    this.#healthUrl = `${serviceUrl}/health`;
    const { signal } = this.#closing;
    document.addEventListener('visibilitychange', () => void this.#check(), { signal });
    addEventListener('online', () => void this.#check(), { signal });
    const stop = room.on('stateChanged', (state) => {
      // The room has just failed to reach it.
      if ('failure' in state && state.failure?.code === 'CONTROL_PLANE_UNREACHABLE') void this.#check();
    });
    signal.addEventListener('abort', stop);
    this.#checkIn(REACHABLE_MS);
  }

  get away(): boolean {
    return this.#failures >= FAILURES;
  }

  close(): void {
    this.#closing.abort();
    clearTimeout(this.#timer);
  }

  #checkIn(ms: number): void {
    clearTimeout(this.#timer);
    if (!this.#closing.signal.aborted) this.#timer = setTimeout(() => void this.#check(), ms);
  }

  async #check(): Promise<void> {
    // A hidden page checks again when it is shown.
    if (this.#checking || document.visibilityState === 'hidden') return;
    this.#checking = true;
    const before = this.away;
    this.#failures = (await this.#isReachable()) ? 0 : this.#failures + 1;
    this.#checking = false;
    if (this.away !== before) this.emit('changed');
    this.#checkIn(this.#failures > 0 ? UNREACHABLE_MS : REACHABLE_MS);
  }

  async #isReachable(): Promise<boolean> {
    try {
      const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(TIMEOUT_MS)]);
      return (await fetch(this.#healthUrl, { cache: 'no-store', signal })).ok;
    } catch {
      return false;
    }
  }
}
