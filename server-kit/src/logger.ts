import { type Logger, type LoggerOptions, pino } from 'pino';
import { LogOutput } from './LogOutput.ts';
import { requestContext } from './requestContext.ts';

export type { Logger } from 'pino';

/** The levels of a logger. */
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** The process's output, shared by all loggers. */
let output: LogOutput | undefined;

/**
 * Structured JSON lines on standard output, each with the service's name, and the ids of the current request and trace.
 *
 * Tokens never reach a line: code logs only the path of a URL, and the fields below are redacted wherever they occur.
 *
 * @param ids further fields of every line, such as `daemonId`.
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
