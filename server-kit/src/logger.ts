import { type Logger, type LoggerOptions, pino } from 'pino';
import { LogOutput } from './LogOutput.ts';
import { requestContext } from './requestContext.ts';

export type { Logger } from 'pino';

/** The levels that a logger is set to. */
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** One for the process, whoever writes to it. */
let output: LogOutput | undefined;

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
  output ??= new LogOutput(process.stdout, (lines) =>
    logger.warn({ lines }, 'log lines were lost, since nobody read them in time'),
  );
  const options: LoggerOptions = {
    level,
    base: { service, ...ids },
    mixin: () => {
      const { requestId, traceId } = requestContext();
      return { requestId, traceId };
    },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: ['token', '*.token', 'secret', '*.secret', 'headers.authorization', '*.headers.authorization'],
  };
  const logger = pino(options, output);
  return logger;
}
