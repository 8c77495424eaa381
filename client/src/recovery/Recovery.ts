import type { Assignment } from '@mediasoup-server/proto/http';
import { RoomError } from '../errors.ts';
import { TypedEmitter } from '../events.ts';
import type { Session, Trouble } from '../session/Session.ts';
import { backoffMs } from './backoff.ts';
import { onNetworkEvent } from './networkEvents.ts';
import type { RoomState } from './RoomState.ts';

export interface RecoveryOptions {
  /** Asks the control plane where to go. */
  assign(failedDaemonId: string | undefined, signal: AbortSignal): Promise<Assignment>;
  open(assignment: Assignment): Promise<Session>;
}

export interface RecoveryEvents {
  stateChanged: [state: RoomState];
  /** The peer is at another place now. The former session is the listener's to close; `serves`: its media flows on. */
  placed: [session: Session, former: { readonly session: Session; readonly serves: boolean } | undefined];
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
  #trouble: Trouble | undefined;
  /** That the session is to be left, which stays so whatever else becomes of it. */
  #move: Trouble | undefined;
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
        while (!this.#trouble && !this.#leaving.signal.aborted) await this.#sleep();
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
    const former = this.#session && { session: this.#session, serves: this.#trouble?.is === 'asked to move' };
    this.#session = session;
    this.#trouble = undefined;
    this.#move = undefined;
    session.on('trouble', (trouble) => {
      if (session !== this.#session) return;
      if (trouble.is === 'asked to move') this.#move = trouble;
      if (isFinal(this.#trouble) && trouble.is !== 'refused') return;
      this.#trouble = trouble;
      this.#wake();
    });
    session.on('flowChanged', () => {
      if (session === this.#session && !this.#trouble) this.#connected(session);
    });
    this.emit('placed', session, former);
    this.#connected(session);
  }

  #connected(session: Session): void {
    this.#trouble = undefined;
    const reason = new RoomError('TRANSPORT_FAILED', 'No media gets through just now');
    this.#setState(
      session.transports.flowing
        ? { status: 'connected', daemonId: session.daemonId }
        : { status: 'reconnecting', attempt: 1, reason },
    );
  }

  /** Answers the session that goes on, or one at another place. Tries until one of the two succeeds. */
  async #place(): Promise<Session> {
    let resumable = true;
    let suspect: string | undefined;
    let failure: RoomError | undefined;
    for (let attempt = 1; ; attempt++) {
      const trouble = this.#trouble;
      this.#setState(this.#stateOf(attempt, failure));
      if (trouble || attempt > 1) await this.#sleep(Math.max(backoffMs(attempt), failure?.retryAfterMs ?? 0));
      this.#throwIfOver();
      try {
        const session = this.#session;
        if (resumable && session && this.#trouble?.is === 'socket lost') {
          const outcome = await resume(session);
          if (outcome === 'resumed' && !isFinal(this.#trouble)) {
            if (!this.#move) return session;
            this.#trouble = this.#move;
            continue;
          }
          resumable = outcome !== 'gone';
          // A daemon that answers late is not taken for dead.
          suspect = outcome === 'unreachable' ? session.daemonId : undefined;
        } else if (trouble?.error.code === 'TRANSPORT_FAILED') {
          suspect = session?.daemonId;
        }
        this.#throwIfOver();
        const assignment = await this.#options.assign(suspect, this.#leaving.signal);
        if (session && assignment.daemonId === session.daemonId && this.#staysUseful(resumable)) {
          // It lives, the control plane says, or is not to be left for itself: the session is worth more than another.
          failure = new RoomError('DAEMON_UNREACHABLE', 'The media server cannot be reached', {
            retryAfterMs: assignment.retryAfterMs,
          });
          continue;
        }
        if (assignment.retryAfterMs !== undefined) await this.#sleep(assignment.retryAfterMs);
        this.#throwIfOver();
        suspect = assignment.daemonId;
        // The daemon would end the former session as replaced, which reads like a refusal of the peer.
        if (session && assignment.daemonId === session.daemonId) session.disconnect();
        const next = await this.#options.open(assignment);
        try {
          this.#throwIfOver();
        } catch (error) {
          // One that nobody takes would stay in the room.
          next.close();
          throw error;
        }
        return next;
      } catch (error) {
        failure = RoomError.from(error);
        if (!failure.retryable) throw failure;
        // What was assigned and answered is well, whatever else went wrong.
        if (failure.code !== 'DAEMON_UNREACHABLE' && failure.code !== 'CONNECTION_LOST') suspect = undefined;
      }
    }
  }

  /** Whether the present session, troubled as it is, is better than a new one at the same daemon. */
  #staysUseful(resumable: boolean): boolean {
    const is = this.#trouble?.is;
    return is === 'asked to move' || (is === 'socket lost' && resumable);
  }

  #stateOf(attempt: number, failure: RoomError | undefined): RoomState {
    const [session, trouble] = [this.#session, this.#trouble];
    if (!session || !trouble) return { status: 'connecting', attempt, ...(failure && { reason: failure }) };
    const { daemonId, transports } = session;
    const loss = { attempt, reason: trouble.error, ...(failure && { failure }) };
    switch (trouble.is) {
      case 'asked to move':
        return { status: 'moving', daemonId, ...loss };
      case 'socket lost':
        return transports.flowing ? { status: 'resuming', daemonId, ...loss } : { status: 'reconnecting', ...loss };
      case 'media lost':
      case 'refused':
        return { status: 'reconnecting', ...loss };
    }
  }

  #throwIfOver(): void {
    if (this.#trouble?.is === 'refused') throw this.#trouble.error;
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
const isFinal = (trouble: Trouble | undefined): boolean => trouble?.is === 'media lost' || trouble?.is === 'refused';

/** @throws {RoomError} that is final */
async function resume(session: Session): Promise<'resumed' | 'gone' | 'late' | 'unreachable'> {
  try {
    return (await session.resume()) ? 'resumed' : 'gone';
  } catch (error) {
    const reason = RoomError.from(error);
    if (!reason.retryable) throw reason;
    return reason.status === undefined ? 'unreachable' : 'late';
  }
}
