import { RoomError } from '../errors.ts';
import { TypedEmitter } from '../events.ts';
import type { Session } from '../session/Session.ts';
import { Handover } from './Handover.ts';
import { Recovery } from './Recovery.ts';
import type { RecoveryOptions } from './RecoveryOptions.ts';
import type { RoomState } from './RoomState.ts';

export interface AttachmentsEvents {
  stateChanged: [state: RoomState];
  /** The peer is at another place; `former` is heard until `left`. */
  attached: [session: Session, former: Session | undefined];
  /** A former place is left: its session is over. */
  detached: [former: Session];
}

/** Where a peer is: at one place, and for a while also at those that it is moving from. */
export class Attachments extends TypedEmitter<AttachmentsEvents> {
  readonly #recovery: Recovery;
  readonly #hasEverything: (session: Session) => boolean;
  readonly #handovers = new Set<Handover>();

  /** @param hasEverything whether whatever was received at a former place is at this one. */
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

  /** The present place first, then those that are being left. */
  get all(): readonly Session[] {
    const { current } = this;
    return current ? [current, ...[...this.#handovers].map(({ former }) => former)] : [];
  }

  /** Whether what goes at one place may turn up at another. */
  get moving(): boolean {
    return this.#handovers.size > 0 || this.state.status === 'moving';
  }

  join(): Promise<void> {
    return this.#recovery.join();
  }

  leave(): void {
    this.#recovery.leave();
  }

  /** Something has changed that may end a move. */
  reevaluate(): void {
    for (const handover of [...this.#handovers]) handover.reevaluate();
  }

  /** Does something wherever the peer is. */
  async everywhere(action: (session: Session) => Promise<unknown>): Promise<void> {
    const { current } = this;
    if (!current || this.state.status === 'closed') return;
    // What fails at a place that is being left is done at the present one.
    for (const { former } of this.#handovers) action(former).catch(() => {});
    await this.at(current, action(current));
  }

  /**
   * The failure of something at a place matters only as long as the peer is there: at the next one it is done again, and a
   * session that has ended is about to be left.
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
