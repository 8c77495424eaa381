import { Metadata, status } from '@grpc/grpc-js';
import type { Call, Intercept } from '@mediasoup-server/server-kit/grpcService';
import type { Logger } from '@mediasoup-server/server-kit/logger';
import { inContext, requestIdFrom } from '@mediasoup-server/server-kit/requestContext';
import { inSpan } from '@mediasoup-server/server-kit/tracing';
import { RequestError } from '../errors.ts';
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

/** What every command has in common: request id, authorization, validation, metrics, log, and the status of its failure. */
export function createIntercept({ authorize, metrics, logger }: InterceptOptions): Intercept {
  return async (call, proceed) => {
    const method = call.method.localName;
    const requestId = requestIdFrom(call.metadata.get('x-request-id')[0]);
    const { roomId, peerId } = call.request as { roomId?: string; peerId?: string };
    const about = { method, requestId, roomId: roomId || undefined, peerId: peerId || undefined, caller: call.peer };
    const stop = call.method.methodKind === 'unary' ? metrics.commandSeconds.startTimer({ method }) : () => {};
    const act = async () => {
      const answered = new Metadata();
      answered.set('x-request-id', requestId);
      call.sendMetadata(answered);
      const grantedUntil = await authorize?.(call);
      if (call.isMalformed)
        throw new RequestError('INVALID_REQUEST', `the request is not a ${call.method.input.typeName}`);
      const checked = requestSchemas[method as keyof typeof requestSchemas].safeParse(call.request);
      if (!checked.success) throw CommandError.ofFields(checked.error);
      // Nothing is begun for a caller that does not wait any more.
      if (isGone(call)) throw goneBefore(call);
      await inContext({ requestId }, () => untilExpired(call, grantedUntil, traced(call, proceed)));
    };
    let failure: CommandError | undefined;
    try {
      await untilGone(call, act());
    } catch (error) {
      failure = isGone(call) ? goneBefore(call) : CommandError.from(error);
      if (failure.code === status.INTERNAL) logger.error({ err: error, ...about }, 'command failed');
      call.abort();
    }
    stop();
    const code = failure?.code ?? status.OK;
    metrics.commands.inc({ method, code });
    const level = failure && REFUSALS.has(failure.code) ? 'info' : 'debug';
    logger[level]({ ...about, code: status[code], reason: failure?.message }, 'command');
    return failure?.toStatus();
  };
}

/** The statuses that show a caller beyond its rights or limits; operators want to see them. */
const REFUSALS = new Set([status.UNAUTHENTICATED, status.PERMISSION_DENIED, status.RESOURCE_EXHAUSTED]);

/** The longest that a timer of Node waits, ms. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Ends a stream when its caller's token expires; other calls end by their deadlines. */
async function untilExpired(call: Call, grantedUntil: number | undefined, acting: Promise<void>): Promise<void> {
  if (grantedUntil === undefined || call.method.methodKind === 'unary') return acting;
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_, reject) => {
    const end = () => reject(new RequestError('UNAUTHORIZED', 'the token has expired'));
    timer = setTimeout(end, Math.min(MAX_TIMER_MS, Math.max(0, grantedUntil - Date.now())));
  });
  try {
    await Promise.race([acting, expired]);
  } finally {
    clearTimeout(timer);
  }
}

const isGone = ({ signal, deadline }: Call): boolean => signal.aborted || Date.now() >= deadline;

/** How far a timer may run ahead of the clock of deadlines, ms. */
const TIMER_SLACK_MS = 2;

/** Runs a call within a span; a stream lasts too long for one. */
function traced({ method, request, metadata }: Call, proceed: () => Promise<void>): Promise<void> {
  if (method.methodKind !== 'unary') return proceed();
  const { roomId = '', peerId = '' } = request as { roomId?: string; peerId?: string };
  const [traceparent] = metadata.get('traceparent');
  return inSpan(
    `${method.parent.typeName}/${method.name}`,
    { kind: 'server', attributes: { roomId, peerId }, traceparent: traceparent?.toString() },
    proceed,
  );
}

/** The outcome of a call whose caller has gone: for the metrics and the log alone. */
const goneBefore = ({ deadline }: Call): CommandError =>
  Date.now() < deadline - TIMER_SLACK_MS
    ? new CommandError(status.CANCELLED, 'the caller has cancelled')
    : new CommandError(status.DEADLINE_EXCEEDED, 'the deadline has passed');

/** Waits no longer than the caller does, even when a media worker never answers. */
function untilGone(call: Call, acting: Promise<void>): Promise<void> {
  const gone = new Promise<never>((_, reject) => {
    call.signal.addEventListener('abort', () => reject(goneBefore(call)), { once: true });
  });
  return Promise.race([acting, gone]);
}
