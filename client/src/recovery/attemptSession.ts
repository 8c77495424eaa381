import { RoomError } from '../errors.ts';
import type { Session } from '../session/Session.ts';
import { isBeyondRepair } from '../session/SessionFailure.ts';
import { type AttemptPool, firstOf } from './AttemptPool.ts';
import type { Lifecycle } from './Lifecycle.ts';
import type { SessionOpener } from './SessionOpener.ts';

/** What an attempt reads and changes of the recovery that it belongs to. */
export interface AttemptContext {
  readonly opener: SessionOpener;
  readonly lifecycle: Lifecycle;
  /** The session was resumed at a daemon that asked to move before: the peer moves now. */
  moveAfterResume(): void;
}

/**
 * Resumes the session where its daemon may still have it, and else opens another one. Does both at once where the daemon
 * seems dead.
 *
 * @returns the present session, resumed, or another one
 */
export async function attemptSession(context: AttemptContext, pool: AttemptPool): Promise<Session> {
  const attempt = pool.begin();
  const { signal } = attempt;
  try {
    const { lifecycle, opener } = context;
    if (lifecycle.kind !== 'recovering') return await opener.open(pool, signal);
    const { session, failure } = lifecycle;
    if (failure.kind !== 'socketLost' || !pool.resumable) {
      if (failure.error.code === 'TRANSPORT_FAILED') pool.suspect = session.daemonId;
      return await opener.open(pool, signal);
    }
    const resumed = resumeSession(context, session, pool);
    if (!failure.silent) return (await resumed) ?? (await opener.open(pool, signal));
    pool.suspect = session.daemonId;
    const openAfterResume = async () => {
      if (pool.suspect !== undefined) throw new RoomError('DAEMON_UNREACHABLE', 'The media server cannot be reached');
      return opener.open(pool, signal);
    };
    return await firstOf([opener.open(pool, signal), resumed.then((session) => session ?? openAfterResume())]);
  } finally {
    pool.end(attempt);
  }
}

/** @returns undefined where another session is needed */
async function resumeSession(
  context: AttemptContext,
  session: Session,
  pool: AttemptPool,
): Promise<Session | undefined> {
  const outcome = await resume(session);
  const { lifecycle } = context;
  if (outcome === 'resumed' && lifecycle.kind === 'recovering' && !isBeyondRepair(lifecycle.failure)) {
    if (!lifecycle.moveRequest) return session;
    context.moveAfterResume();
    throw lifecycle.moveRequest.error;
  }
  if (outcome === 'gone') pool.resumable = false;
  // A daemon that answers late is not dead.
  pool.suspect = outcome === 'unreachable' ? session.daemonId : undefined;
  return undefined;
}

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
