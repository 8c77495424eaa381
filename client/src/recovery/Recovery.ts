import { RoomError } from '../errors.ts';
import { TypedEmitter } from '../events.ts';
import type { Session } from '../session/Session.ts';
import type { SessionFailure } from '../session/SessionFailure.ts';
import { afterFailure, type Lifecycle, roomStateOf, sessionOf, throwIfOver } from './Lifecycle.ts';
import { onNetworkEvent } from './networkEvents.ts';
import type { RecoveryOptions } from './RecoveryOptions.ts';
import type { RoomState } from './RoomState.ts';
import { SessionOpener } from './SessionOpener.ts';
import { SessionSearch } from './SessionSearch.ts';
import { Wakeup } from './Wakeup.ts';

export interface RecoveryEvents {
  stateChanged: [state: RoomState];
  /** The peer has another session. The listener closes the former one; `serves`: media still flows there. */
  attached: [session: Session, former: { readonly session: Session; readonly serves: boolean } | undefined];
}

/**
 * Keeps a peer in its room whatever is lost: resumes the session where that is possible, and else opens another one, until
 * that succeeds, the peer leaves or the service refuses it.
 */
export class Recovery extends TypedEmitter<RecoveryEvents> {
  readonly #leaving = new AbortController();
  readonly #wakeup = new Wakeup();
  readonly #opener: SessionOpener;
  #lifecycle: Lifecycle = { kind: 'joining' };
  #state: RoomState = { status: 'connecting', attempt: 0 };
  /** Sessions that the daemon may still replace by one that another attempt of this peer opens. */
  readonly #contested = new WeakSet<Session>();

  constructor(options: RecoveryOptions) {
    super();
    this.#opener = new SessionOpener(options, () => this.#lifecycle, this.#leaving.signal);
  }

  get state(): RoomState {
    return this.#state;
  }

  get session(): Session | undefined {
    return sessionOf(this.#lifecycle);
  }

  /**
   * Joins, and recovers in the background from then on.
   *
   * @throws {RoomError} that is final
   */
  async join(): Promise<void> {
    const stopListening = onNetworkEvent((event) => {
      this.session?.check(event === 'changed');
      this.#wakeup.wake();
    });
    this.#leaving.signal.addEventListener('abort', () => {
      stopListening();
      this.#wakeup.wake();
    });
    try {
      this.#attach(await this.#search());
    } catch (error) {
      throw this.#fail(error);
    }
    void this.#keepAttached();
  }

  /** Closes the session and stops recovering, for good. */
  leave(reason?: RoomError): void {
    if (this.#lifecycle.kind === 'closed') return;
    const { session } = this;
    this.#lifecycle = { kind: 'closed', session, reason };
    this.#announce(roomStateOf(this.#lifecycle));
    this.#leaving.abort();
    session?.close();
  }

  async #keepAttached(): Promise<void> {
    try {
      for (;;) {
        while (this.#lifecycle.kind === 'attached') await this.#wakeup.wait();
        throwIfOver(this.#lifecycle);
        const session = await this.#search();
        if (session === this.session) this.#resumed(session);
        else this.#attach(session);
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): RoomError {
    const reason = RoomError.from(error);
    this.leave(reason);
    return reason;
  }

  async #search(): Promise<Session> {
    const recovery = this;
    const search = new SessionSearch({
      opener: this.#opener,
      wakeup: this.#wakeup,
      get lifecycle() {
        return recovery.#lifecycle;
      },
      attemptBegins: (attempt, lastFailure) => this.#announce(roomStateOf(this.#lifecycle, attempt, lastFailure)),
      moveAfterResume: () => {
        if (this.#lifecycle.kind !== 'recovering' || !this.#lifecycle.moveRequest) return;
        this.#lifecycle = afterFailure(this.#lifecycle, this.#lifecycle.moveRequest);
      },
    });
    const { session, contested } = await search.run();
    if (contested) this.#contested.add(session);
    return session;
  }

  #attach(session: Session): void {
    if (this.#lifecycle.kind === 'closed') {
      session.close();
      throwIfOver(this.#lifecycle);
      return;
    }
    const before = this.#lifecycle;
    this.#lifecycle = { kind: 'attached', session };
    session.on('failed', (failure) => this.#sessionFailed(session, failure));
    session.on('flowChanged', () => {
      if (session === this.session && this.#lifecycle.kind === 'attached') this.#announce(roomStateOf(this.#lifecycle));
    });
    const former = before.kind === 'recovering' ? before : undefined;
    const serves = former?.failure.kind === 'moveRequested';
    this.emit('attached', session, former && { session: former.session, serves });
    this.#announce(roomStateOf(this.#lifecycle));
  }

  #resumed(session: Session): void {
    throwIfOver(this.#lifecycle);
    this.#lifecycle = { kind: 'attached', session };
    this.#announce(roomStateOf(this.#lifecycle));
  }

  #sessionFailed(session: Session, reported: SessionFailure): void {
    if (session !== this.session) return;
    const isReplaced = reported.kind === 'refused' && reported.error.status === 409 && this.#contested.has(session);
    const failure: SessionFailure = isReplaced ? { kind: 'mediaLost', error: reported.error } : reported;
    const before = this.#lifecycle;
    this.#lifecycle = afterFailure(before, failure);
    if (this.#lifecycle !== before) this.#wakeup.wake();
  }

  #announce(state: RoomState): void {
    if (this.#state.status === 'closed') return;
    this.#state = state;
    this.emit('stateChanged', state);
  }
}
