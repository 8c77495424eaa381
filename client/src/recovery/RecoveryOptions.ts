import type { Assignment } from '@mediasoup-server/proto/http';
import type { Session } from '../session/Session.ts';

/** The service that a peer's sessions come from. */
export interface RecoveryOptions {
  /** Asks the control plane for a daemon, for another one than `failedDaemonId` where that is possible. */
  assign(failedDaemonId: string | undefined, signal: AbortSignal): Promise<Assignment>;
  /** @param signal aborts the attempt because another one took over */
  open(assignment: Assignment, signal: AbortSignal): Promise<Session>;
}
