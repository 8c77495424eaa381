import { RoomError } from '../errors.ts';
import { TypedEmitter } from '../events.ts';
import type { Session } from '../session/Session.ts';
import { Handover } from './Handover.ts';
import { Recovery } from './Recovery.ts';
import type { RecoveryOptions } from './RecoveryOptions.ts';
import type { RoomState } from './RoomState.ts';

export interface AttachmentsEvents {
  stateChanged: [state: RoomState];
  /** The peer has a new session. Media still arrives over the `former` one until it is detached. */
  attached: [session: Session, former: Session | undefined];
  /** A former session was closed. */
  detached: [former: Session];
}

/** The sessions of a peer: the present one, and while it moves also the former ones. */
export class Attachments extends TypedEmitter<AttachmentsEvents> {
  readonly #recovery: Recovery;
  readonly #hasEverything: (session: Session) => boolean;
  readonly #handovers = new Set<Handover>();

  /** @param hasEverything whether a session receives all that the former ones received. */
  constructor(options: RecoveryOptions, hasEverything: (session: Session) => boolean) {
    super();
    this.#hasEverything = hasEverything;
    this.#recovery = new Recovery(options);
    this.#recovery.on('attached', (session, former) => {
      if (former) this.#handOver(former.session, former.serves);
      this.emit('attached', session, former?.session);
    });
    this.#recovery.on('stateChanged', (state) => {
      if (state.status === 'closed') for (const handover of [...this.#handovers]) handover.end();
      this.emit('stateChanged', state);
    });
  }

  get state(): RoomState {
    return this.#recovery.state;
  }

  get current(): Session | undefined {
    return this.#recovery.session;
  }

  /** The present session first, then the former ones that are not closed yet. */
  get all(): readonly Session[] {
    const { current } = this;
    return current ? [current, ...[...this.#handovers].map(({ former }) => former)] : [];
  }

  /** Whether peers and tracks that disappear from one session may appear in another. */
  get moving(): boolean {
    return this.#handovers.size > 0 || this.state.status === 'moving';
  }

  join(): Promise<void> {
    return this.#recovery.join();
  }

  leave(): void {
    this.#recovery.leave();
  }

  /** A peer or a track has changed, which may end a move. */
  reevaluate(): void {
    for (const handover of [...this.#handovers]) handover.reevaluate();
  }

  /** Applies an action to all sessions. */
  async everywhere(action: (session: Session) => Promise<unknown>): Promise<void> {
    const { current } = this;
    if (!current || this.state.status === 'closed') return;
    // A failure in a former session does not matter: the present one has the action too.
    for (const { former } of this.#handovers) action(former).catch(() => {});
    await this.at(current, action(current));
  }

  /**
   * Ignores the failure of an action in a session that is over or replaced: it is applied again in the next session.
   */
  async at(session: Session, action: Promise<unknown>): Promise<void> {
    try {
      await action;
    } catch (error) {
      if (session === this.current && !session.isOver && this.state.status !== 'closed') throw RoomError.from(error);
    }
  }

  #handOver(former: Session, serves: boolean): void {
    if (!serves) former.disconnect();
    const isDone = (): boolean => this.current !== undefined && this.#hasEverything(this.current);
    const handover = new Handover(former, serves, isDone, () => {
      this.#handovers.delete(handover);
      former.close();
      this.emit('detached', former);
    });
    this.#handovers.add(handover);
  }
}
