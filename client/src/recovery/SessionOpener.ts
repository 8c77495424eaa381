import type { Assignment } from '@mediasoup-server/proto/http';
import { RoomError } from '../errors.ts';
import type { Session } from '../session/Session.ts';
import type { AttemptPool } from './AttemptPool.ts';
import { type Lifecycle, sessionOf, throwIfOver } from './Lifecycle.ts';
import type { RecoveryOptions } from './RecoveryOptions.ts';

/** Opens sessions at the daemons that the control plane assigns. */
export class SessionOpener {
  readonly #options: RecoveryOptions;
  readonly #lifecycle: () => Lifecycle;
  /** Aborted when the peer leaves. */
  readonly #leaving: AbortSignal;
  /** The sessions that are being opened, also by attempts that were aborted: their joins may still reach a daemon. */
  readonly #opening = new Set<{ contested: boolean }>();

  constructor(options: RecoveryOptions, lifecycle: () => Lifecycle, leaving: AbortSignal) {
    this.#options = options;
    this.#lifecycle = lifecycle;
    this.#leaving = leaving;
  }

  get isOpening(): boolean {
    return this.#opening.size > 0;
  }

  /**
   * Asks for an assignment and joins there.
   *
   * @throws {RoomError} DAEMON_UNREACHABLE where the control plane assigns the daemon whose session is better resumed
   */
  async open(pool: AttemptPool, signal: AbortSignal): Promise<Session> {
    const session = sessionOf(this.#lifecycle());
    try {
      throwIfOver(this.#lifecycle());
      const assignment = await this.#options.assign(pool.suspect, AbortSignal.any([signal, this.#leaving]));
      const isSameDaemon = session !== undefined && assignment.daemonId === session.daemonId;
      if (isSameDaemon && isBetterResumed(this.#lifecycle(), pool)) {
        throw new RoomError('DAEMON_UNREACHABLE', 'The media server cannot be reached', {
          retryAfterMs: assignment.retryAfterMs,
        });
      }
      const { retryAfterMs } = assignment;
      // The control plane's advice is for a daemon that the peer cannot reach.
      if (retryAfterMs !== undefined && pool.suspect !== undefined)
        await new Promise((resolve) => setTimeout(resolve, retryAfterMs));
      this.#throwIfUnwanted(signal);
      pool.suspect = assignment.daemonId;
      // The daemon would close the former session as replaced (409), which looks as if it refused the peer.
      if (isSameDaemon) session.disconnect();
      return await this.#openAt(assignment, signal);
    } catch (error) {
      const { code } = RoomError.from(error);
      // A daemon that answered is alive, whatever else went wrong.
      if (code !== 'DAEMON_UNREACHABLE' && code !== 'CONNECTION_LOST') pool.suspect = undefined;
      throw error;
    }
  }

  async #openAt(assignment: Assignment, signal: AbortSignal): Promise<Session> {
    const opened = await this.#join(assignment, signal);
    try {
      this.#throwIfUnwanted(signal);
      return opened;
    } catch (error) {
      // A session that nobody uses would stay in the room.
      opened.close();
      throw error;
    }
  }

  /** Of attempts that overlap, a later join replaces an earlier one at the daemon, which does not refuse the peer. */
  async #join(assignment: Assignment, signal: AbortSignal): Promise<Session> {
    const opening = { contested: this.isOpening };
    for (const other of this.#opening) other.contested = true;
    this.#opening.add(opening);
    try {
      return await this.#options.open(assignment, signal);
    } catch (error) {
      const { code, status } = RoomError.from(error);
      if (!opening.contested || code !== 'REFUSED' || status !== 409) throw error;
      throw new RoomError('CONNECTION_LOST', 'Another attempt of this peer has joined', { cause: error });
    } finally {
      this.#opening.delete(opening);
    }
  }

  #throwIfUnwanted(signal: AbortSignal): void {
    throwIfOver(this.#lifecycle());
    if (signal.aborted) throw new RoomError('CONNECTION_LOST', 'Another attempt has taken over');
  }
}

/** Whether the present session is worth more than a new one at the same daemon, which is alive or not to be left yet. */
function isBetterResumed(lifecycle: Lifecycle, { resumable }: AttemptPool): boolean {
  if (lifecycle.kind !== 'recovering') return false;
  switch (lifecycle.failure.kind) {
    case 'moveRequested':
      return true;
    case 'socketLost':
      return resumable;
    case 'mediaLost':
    case 'refused':
      return false;
  }
}
