import { randomUUID } from 'node:crypto';
import { Metadata, status } from '@grpc/grpc-js';
import type { Logger } from '@mediasoup-server/process/logger';
import type { Call, Intercept } from '@mediasoup-server/proto/grpc';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Authorize } from './authorize.ts';
import { CommandError } from './CommandError.ts';
import { requestSchemas } from './requestSchemas.ts';

export type InterceptOptions = {
  /** Who may command; everybody where it is missing. */
  readonly authorize?: Authorize | undefined;
  readonly metrics: Metrics;
  readonly logger: Logger;
};

/** What is around every command: its request id, who may, the check of its fields, metrics, log, and its failure's status. */
export function createIntercept({ authorize, metrics, logger }: InterceptOptions): Intercept {
  return async (call, proceed) => {
    const method = call.method.localName;
    const requestId = requestIdOf(call.metadata);
    const about = { method, requestId, caller: call.peer };
    const stop = call.method.methodKind === 'unary' ? metrics.commandSeconds.startTimer({ method }) : () => {};
    let failure: CommandError | undefined;
    try {
      const answered = new Metadata();
      answered.set('x-request-id', requestId);
      call.sendMetadata(answered);
      await authorize?.(call);
      const checked = requestSchemas[method as keyof typeof requestSchemas].safeParse(call.request);
      if (!checked.success) throw CommandError.ofFields(checked.error);
      await proceed();
    } catch (error) {
      failure = call.signal.aborted ? goneBefore(call.deadline) : CommandError.from(error);
      if (failure.code === status.INTERNAL) logger.error({ err: error, ...about }, 'command failed');
    }
    stop();
    const code = failure?.code ?? status.OK;
    metrics.commands.inc({ method, code });
    logger.debug({ ...about, code: status[code], reason: failure?.message }, 'command');
    return failure?.toStatus();
  };
}

/** What became of a call whose caller is not there any more; nobody but the metrics and the log hears of it. */
const goneBefore = (deadline: Call['deadline']): CommandError =>
  Date.now() < deadline
    ? new CommandError(status.CANCELLED, 'the caller has cancelled')
    : new CommandError(status.DEADLINE_EXCEEDED, 'the deadline has passed');

/** The caller's id for the call where it is a plain word, otherwise a new one. */
function requestIdOf(metadata: Metadata): string {
  const [given] = metadata.get('x-request-id');
  return typeof given === 'string' && /^[\w.:-]{1,128}$/.test(given) ? given : randomUUID();
}
