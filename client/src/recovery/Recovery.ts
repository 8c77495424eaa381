import type { Assignment } from '@mediasoup-server/proto/http';
import { RoomError } from '../errors.ts';
import { TypedEmitter } from '../events.ts';
import type { Session, SessionFailure } from '../session/Session.ts';
import { backoffMs, paceMs } from './backoff.ts';
import { onNetworkEvent } from './networkEvents.ts';
import type { RoomState } from './RoomState.ts';
import { firstOf, Search } from './Search.ts';

export interface RecoveryOptions {
  /** Asks the control plane where to go. */
  assign(failedDaemonId: string | undefined, signal: AbortSignal): Promise<Assignment>;
  /** @param signal ends the attempt: another one has taken over. */
  open(assignment: Assignment, signal: AbortSignal): Promise<Session>;
}

export interface RecoveryEvents {
  stateChanged: [state: RoomState];
  /** The peer is at another place now. The former session is the listener's to close; `serves`: its media flows on. */
  attached: [session: Session, former: { readonly session: Session; readonly serves: boolean } | undefined];
}

/**
 * Finds a peer its place and keeps it in the room whatever is lost: it goes on with the session where there is one, and
 * else asks for another place, until that succeeds, the peer leaves or the service refuses it.
 */
export class Recovery extends TypedEmitter<RecoveryEvents> {
  readonly #options: RecoveryOptions;
  readonly #leaving = new AbortController();
  #state: RoomState = { status: 'connecting', attempt: 0 };
  #session: Session | undefined;
  /** What the session said last, until it is seen to. */
  #failure: SessionFailure | undefined;
  /** That the session is to be left, which stays so whatever else becomes of it. */
  #move: SessionFailure | undefined;
  /** Sessions that other attempts of this peer competed with: one of those may still replace it at the daemon. */
  readonly #rivalled = new WeakSet<Session>();
  /** How many sessions are being opened, also for attempts that were given up: their joins may still arrive. */
  #opening = 0;
  /** Ends a wait: something has happened that makes it worth while. */
  #wake: () => void = () => {};

  constructor(options: RecoveryOptions) {
    super();
    this.#options = options;
  }

  get state(): RoomState {
    return this.#state;
  }

  get session(): Session | undefined {
    return this.#session;
  }

  /**
   * Joins, and from then on recovers in the background.
   *
   * @throws {RoomError} that is final
   */
  async join(): Promise<void> {
    const forget = onNetworkEvent((event) => {
      this.#session?.check(event === 'changed');
      this.#wake();
    });
    this.#leaving.signal.addEventListener('abort', () => {
      forget();
      this.#wake();
    });
    try {
      this.#adopt(await this.#place());
    } catch (error) {
      throw this.#end(error);
    }
    void this.#keep();
  }

  /** Ends everything, for good. */
  leave(reason?: RoomError): void {
    if (this.#state.status === 'closed') return;
    this.#setState(reason ? { status: 'closed', reason } : { status: 'closed' });
    this.#leaving.abort();
    this.#session?.close();
  }

  async #keep(): Promise<void> {
    try {
      for (;;) {
        while (!this.#failure && !this.#leaving.signal.aborted) await this.#sleep();
        this.#throwIfOver();
        const session = await this.#place();
        if (session === this.#session) this.#connected(session);
        else this.#adopt(session);
      }
    } catch (error) {
      this.#end(error);
    }
  }

  #end(error: unknown): RoomError {
    const reason = RoomError.from(error);
    this.leave(reason);
    return reason;
  }

  #adopt(session: Session): void {
    const former = this.#session && { session: this.#session, serves: this.#failure?.kind === 'moveRequested' };
    this.#session = session;
    this.#failure = undefined;
    this.#move = undefined;
    session.on('failed', (told) => {
      if (session !== this.#session) return;
      const replaced = told.kind === 'refused' && told.error.status === 409 && this.#rivalled.has(session);
      const trouble: SessionFailure = replaced ? { kind: 'mediaLost', error: told.error } : told;
      if (trouble.kind === 'moveRequested') this.#move = trouble;
      if (isFinal(this.#failure) && trouble.kind !== 'refused') return;
      this.#failure = trouble;
      this.#wake();
    });
    session.on('flowChanged', () => {
      if (session === this.#session && !this.#failure) this.#connected(session);
    });
    this.emit('attached', session, former);
    this.#connected(session);
  }

  #connected(session: Session): void {
    this.#failure = undefined;
    const reason = new RoomError('TRANSPORT_FAILED', 'No media gets through just now');
    this.#setState(
      session.transports.flowing
        ? { status: 'connected', daemonId: session.daemonId }
        : { status: 'reconnecting', attempt: 1, reason },
    );
  }

  /**
   * Answers the session that goes on, or one at another place. While a session is lost its attempts overlap: after an
   * outage only an attempt that begins after it succeeds soon.
   */
  async #place(): Promise<Session> {
    const search = new Search();
    const before = this.#session;
    const overlaps = this.#session !== undefined && this.#failure?.kind !== 'moveRequested';
    let ended: 'open' | { readonly session: Session } | { readonly error: RoomError } = 'open';
    let failure: RoomError | undefined;
    /** Set where an attempt asks for a pause before the next one, ms. */
    let pauseMs: number | undefined;
    try {
      for (let attempt = 1; ; attempt++) {
        // What overlaps says so only when it begins.
        if (attempt === 1 || !overlaps) this.#setState(this.#stateOf(attempt, failure));
        let waitMs = attempt > 1 || this.#failure ? paceMs(attempt, overlaps) : undefined;
        // Sleeps again where what wakes it only changes how long to wait.
        while (waitMs !== undefined && ended === 'open') {
          pauseMs = undefined;
          await this.#sleep(waitMs);
          this.#throwIfOver();
          waitMs = pauseMs;
        }
        this.#throwIfOver();
        if (ended === 'open') {
          if (attempt > 1 && overlaps) this.#setState(this.#stateOf(attempt, failure));
          const began = attempt;
          const attempted = this.#attempt(search).then(
            (session) => {
              // One that nobody takes would stay in the room.
              if (ended !== 'open' || this.#leaving.signal.aborted) {
                if (session !== before) session.close();
                return;
              }
              ended = { session };
              this.#wake();
            },
            (error) => {
              failure = RoomError.from(error);
              if (ended !== 'open' || search.signal.aborted) return;
              if (!failure.retryable) ended = { error: failure };
              // Who answers and refuses is asked less and less often; who does not answer is not burdened.
              else if (overlaps && failure.status === undefined && failure.retryAfterMs === undefined) return;
              else pauseMs = Math.max(backoffMs(began + 1), failure.retryAfterMs ?? 0);
              this.#wake();
            },
          );
          if (!overlaps) await attempted;
          pauseMs = undefined;
          if (!overlaps && failure?.retryAfterMs) await this.#sleep(failure.retryAfterMs);
        }
        const end = ended as 'open' | { readonly session: Session } | { readonly error: RoomError };
        if (end === 'open') continue;
        if ('error' in end) throw end.error;
        if (this.#opening > 0) this.#rivalled.add(end.session);
        return end.session;
      }
    } finally {
      if (ended === 'open') ended = { error: new RoomError('CONNECTION_LOST', 'The search is over') };
      search.end();
    }
  }

  /** Resumes the session where it may go on, and looks for another place: at once where the daemon seems dead. */
  async #attempt(search: Search): Promise<Session> {
    const attempt = search.begin();
    try {
      const session = this.#session;
      const trouble = this.#failure;
      if (!session || trouble?.kind !== 'socketLost' || !search.resumable) {
        if (trouble?.error.code === 'TRANSPORT_FAILED') search.suspect = session?.daemonId;
        return await this.#elsewhere(search, attempt);
      }
      const resumed = this.#resume(session, search, attempt);
      if (!trouble.silent) {
        const outcome = await resumed;
        return outcome ?? (await this.#elsewhere(search, attempt));
      }
      search.suspect = session.daemonId;
      return await firstOf([
        resumed.then((outcome) => outcome ?? Promise.reject(new RoomError('CONNECTION_LOST', 'It is not resumed'))),
        this.#elsewhere(search, attempt),
      ]);
    } finally {
      search.done(attempt);
    }
  }

  /** @returns undefined where another place is needed. */
  async #resume(session: Session, search: Search, { signal }: AbortController): Promise<Session | undefined> {
    const outcome = await resume(session, signal);
    if (outcome === 'resumed' && !isFinal(this.#failure)) {
      if (!this.#move) return session;
      this.#failure = this.#move;
      throw this.#move.error;
    }
    if (outcome === 'gone') search.resumable = false;
    // A daemon that answers late is not taken for dead.
    search.suspect = outcome === 'unreachable' ? session.daemonId : undefined;
    return undefined;
  }

  async #elsewhere(search: Search, { signal }: AbortController): Promise<Session> {
    const session = this.#session;
    try {
      this.#throwIfOver();
      const assignment = await this.#options.assign(search.suspect, AbortSignal.any([signal, this.#leaving.signal]));
      const stays = session && assignment.daemonId === session.daemonId;
      if (stays && this.#staysUseful(search.resumable)) {
        // It lives, the control plane says, or is not to be left for itself: the session is worth more than another.
        throw new RoomError('DAEMON_UNREACHABLE', 'The media server cannot be reached', {
          retryAfterMs: assignment.retryAfterMs,
        });
      }
      const { retryAfterMs } = assignment;
      if (retryAfterMs !== undefined) await new Promise((resolve) => setTimeout(resolve, retryAfterMs));
      this.#throwIfOver();
      if (signal.aborted) throw new RoomError('CONNECTION_LOST', 'Another attempt has taken over');
      search.suspect = assignment.daemonId;
      // The daemon would end the former session as replaced, which reads like a refusal of the peer.
      if (stays) session.disconnect();
      this.#opening++;
      const next = await this.#options.open(assignment, signal).finally(() => this.#opening--);
      try {
        this.#throwIfOver();
        if (signal.aborted) throw new RoomError('CONNECTION_LOST', 'Another attempt has taken over');
      } catch (error) {
        // One that nobody takes would stay in the room.
        next.close();
        throw error;
      }
      return next;
    } catch (error) {
      const { code } = RoomError.from(error);
      // What was assigned and answered is well, whatever else went wrong.
      if (code !== 'DAEMON_UNREACHABLE' && code !== 'CONNECTION_LOST') search.suspect = undefined;
      throw error;
    }
  }

  /** Whether the present session, troubled as it is, is better than a new one at the same daemon. */
  #staysUseful(resumable: boolean): boolean {
    const is = this.#failure?.kind;
    return is === 'moveRequested' || (is === 'socketLost' && resumable);
  }

  #stateOf(attempt: number, failure: RoomError | undefined): RoomState {
    const [session, trouble] = [this.#session, this.#failure];
    if (!session || !trouble) return { status: 'connecting', attempt, ...(failure && { reason: failure }) };
    const { daemonId, transports } = session;
    const loss = { attempt, reason: trouble.error, ...(failure && { failure }) };
    switch (trouble.kind) {
      case 'moveRequested':
        return { status: 'moving', daemonId, ...loss };
      case 'socketLost':
        return transports.flowing ? { status: 'resuming', daemonId, ...loss } : { status: 'reconnecting', ...loss };
      case 'mediaLost':
      case 'refused':
        return { status: 'reconnecting', ...loss };
    }
  }

  #throwIfOver(): void {
    if (this.#failure?.kind === 'refused') throw this.#failure.error;
    if (this.#leaving.signal.aborted) throw new RoomError('ROOM_CLOSED', 'The peer has left');
  }

  #setState(state: RoomState): void {
    if (this.#state.status === 'closed') return;
    this.#state = state;
    this.emit('stateChanged', state);
  }

  /** Waits so long, or until something happens that makes it worth while to go on. */
  async #sleep(ms?: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve) => {
      if (ms !== undefined) timer = setTimeout(resolve, ms);
      this.#wake = resolve;
    });
    clearTimeout(timer);
  }
}

/** Whether nothing mends the session: neither another socket nor a later word of its own. */
const isFinal = (trouble: SessionFailure | undefined): boolean =>
  trouble?.kind === 'mediaLost' || trouble?.kind === 'refused';

/** @throws {RoomError} that is final */
async function resume(session: Session, signal: AbortSignal): Promise<'resumed' | 'gone' | 'late' | 'unreachable'> {
  try {
    return (await session.resume(signal)) ? 'resumed' : 'gone';
  } catch (error) {
    const reason = RoomError.from(error);
    if (!reason.retryable) throw reason;
    return reason.status === undefined ? 'unreachable' : 'late';
  }
}
