import { absent, allOf, atLeast, type Condition, differs, equals, lacks } from '../store/conditionBuilder.ts';
import type { Daemon } from './Daemon.ts';
import { liveSlots } from './Reservations.ts';

/** The clauses of the conditions on a daemon's row. */

export const rowIsAbsent: Condition = absent('daemonId');

export const isIncarnation = (incarnation: string): Condition => equals('incarnation', incarnation);

export const hasSecret = (secretHash: string): Condition => equals('secretHash', secretHash);

export const isReady: Condition = equals('state', 'ready');

export const isNotLost: Condition = differs('state', 'lost');

export const hasHeadroom: Condition = atLeast('headroom', 1);

/** @param since Unix time in milliseconds. */
export const hasHeartbeatSince = (since: number): Condition => atLeast('heartbeatAt', since);

/** The row is the incarnation that was read, and no heartbeat has come since. */
export const isUnchangedSince = ({
  incarnation,
  heartbeatAt,
}: Pick<Daemon, 'incarnation' | 'heartbeatAt'>): Condition =>
  allOf(isIncarnation(incarnation), equals('heartbeatAt', heartbeatAt));

/** @param now Unix time in milliseconds. */
export const holdsNoReservation = (reservation: string, now: number): Condition =>
  allOf(...liveSlots(now).map((slot) => lacks(slot, reservation)));
