import { type Logger, pino } from 'pino';
import { requestContext } from './requestContext.ts';

export type { Logger } from 'pino';

/** The levels that a logger is set to. */
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/**
 * Structured JSON lines on standard output, each with the service's name, and the ids of the request and the
 * trace that it is written for.
 *
 * Tokens never reach a line: whoever logs a URL logs its path only, and the fields below are blanked wherever they occur.
 *
 * @param ids what every line says besides: `daemonId`.
 */
export function createLogger(
  service: string,
  level: (typeof logLevels)[number],
  ids: Readonly<Record<string, string>> = {},
): Logger {
  return pino({
    level,
    base: { service, ...ids },
    mixin: () => {
      const { requestId, traceId } = requestContext();
      return { requestId, traceId };
    },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: ['token', '*.token', 'secret', '*.secret', 'headers.authorization', '*.headers.authorization'],
  });
}
