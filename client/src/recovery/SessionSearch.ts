import { RoomError } from '../errors.ts';
import type { Session } from '../session/Session.ts';
import { AttemptPool } from './AttemptPool.ts';
import { type AttemptContext, attemptSession } from './attemptSession.ts';
import { backoffMs, paceMs } from './backoff.ts';
import { type Lifecycle, sessionOf, throwIfOver } from './Lifecycle.ts';
import type { Wakeup } from './Wakeup.ts';

export interface SearchContext extends AttemptContext {
  readonly wakeup: Wakeup;
  /** An attempt begins; `lastFailure` is why the one before it failed. */
  attemptBegins(attempt: number, lastFailure: RoomError | undefined): void;
}

type Progress =
  | { readonly kind: 'searching' }
  | { readonly kind: 'found'; readonly session: Session }
  | { readonly kind: 'failed'; readonly error: RoomError };

/**
 * The search for a session that works, attempt after attempt. While a session is lost the attempts overlap: after an
 * outage only an attempt that began after it succeeds soon.
 */
export class SessionSearch {
  readonly #context: SearchContext;
  readonly #pool = new AttemptPool();
  readonly #former: Session | undefined;
  readonly #overlaps: boolean;
  #progress: Progress = { kind: 'searching' };
  #lastFailure: RoomError | undefined;
  /** How long the attempt that just failed asks to wait before the next one, ms. */
  #pauseMs: number | undefined;

  constructor(context: SearchContext) {
    this.#context = context;
    const { lifecycle } = context;
    this.#former = sessionOf(lifecycle);
    this.#overlaps = lifecycle.kind === 'recovering' && lifecycle.failure.kind !== 'moveRequested';
  }

  /**
   * @returns `contested`: other attempts may still join, and the daemon may replace the session by theirs
   * @throws {RoomError} that is final
   */
  async run(): Promise<{ readonly session: Session; readonly contested: boolean }> {
    try {
      for (let attempt = 1; this.#isSearching(); attempt++) {
        throwIfOver(this.#lifecycle);
        // Of attempts that overlap, each is announced when it begins, not while it waits to begin.
        if (attempt === 1 || !this.#overlaps) this.#context.attemptBegins(attempt, this.#lastFailure);
        await this.#pace(attempt);
        if (this.#isSearching()) await this.#begin(attempt);
      }
      const progress: Progress = this.#progress;
      if (progress.kind !== 'found') throw progress.kind === 'failed' ? progress.error : this.#abandoned();
      return { session: progress.session, contested: this.#context.opener.isOpening };
    } catch (error) {
      if (this.#progress.kind === 'found') this.#discard(this.#progress.session);
      throw error;
    } finally {
      if (this.#isSearching()) this.#progress = { kind: 'failed', error: this.#abandoned() };
      this.#pool.close();
    }
  }

  get #lifecycle(): Lifecycle {
    return this.#context.lifecycle;
  }

  #isSearching(): boolean {
    return this.#progress.kind === 'searching';
  }

  #abandoned(): RoomError {
    return new RoomError('CONNECTION_LOST', 'The search for a session was abandoned');
  }

  /** Waits before an attempt, until something happens that makes it worth while. */
  async #pace(attempt: number): Promise<void> {
    const isFirstOfJoin = attempt === 1 && this.#lifecycle.kind === 'joining';
    let waitMs = isFirstOfJoin ? undefined : paceMs(attempt, this.#overlaps);
    while (waitMs !== undefined && this.#isSearching()) {
      this.#pauseMs = undefined;
      await this.#context.wakeup.wait(waitMs);
      throwIfOver(this.#lifecycle);
      // An attempt that failed meanwhile may only change how long to wait.
      waitMs = this.#pauseMs;
    }
  }

  async #begin(attempt: number): Promise<void> {
    if (attempt > 1 && this.#overlaps) this.#context.attemptBegins(attempt, this.#lastFailure);
    const attempted = attemptSession(this.#context, this.#pool).then(
      (session) => this.#succeeded(session),
      (error) => this.#failed(attempt, RoomError.from(error)),
    );
    if (this.#overlaps) return;
    await attempted;
    throwIfOver(this.#lifecycle);
    const retryAfterMs = this.#lastFailure?.retryAfterMs;
    if (this.#isSearching() && retryAfterMs) await this.#context.wakeup.wait(retryAfterMs);
  }

  #succeeded(session: Session): void {
    if (!this.#isSearching() || this.#lifecycle.kind === 'closed') {
      this.#discard(session);
      return;
    }
    this.#progress = { kind: 'found', session };
    this.#context.wakeup.wake();
  }

  #failed(attempt: number, failure: RoomError): void {
    this.#lastFailure = failure;
    if (!this.#isSearching()) return;
    if (!failure.retryable) this.#progress = { kind: 'failed', error: failure };
    // A service that answers and refuses is asked less and less often; one that does not answer has no load of it.
    else if (this.#overlaps && failure.status === undefined && failure.retryAfterMs === undefined) return;
    else this.#pauseMs = Math.max(backoffMs(attempt + 1), failure.retryAfterMs ?? 0);
    this.#context.wakeup.wake();
  }

  /** A session that nobody uses would stay in the room. */
  #discard(session: Session): void {
    if (session !== this.#former) session.close();
  }
}
