import { absent, type Condition, equals, present } from '../store/conditionBuilder.ts';

/** The clauses of the conditions on a room's item. */

export const itemIsAbsent: Condition = absent('roomId');

export const hasInstance: Condition = present('instances[0]');

export const hasEpoch = (epoch: number): Condition => equals('epoch', epoch);

export const isOnDaemon = (daemonId: string): Condition => equals('instances[0].daemonId', daemonId);

export const isOnIncarnation = (incarnation: string): Condition => equals('instances[0].incarnation', incarnation);
