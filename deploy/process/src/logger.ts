import { type Logger, pino } from 'pino';

export type { Logger } from 'pino';

/** The levels that a logger is set to. */
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/**
 * Structured JSON lines on standard output, each with the service's name.
 *
 * Tokens never reach a line: whoever logs a URL logs its path only, and the fields below are blanked wherever they occur.
 */
export function createLogger(service: string, level: (typeof logLevels)[number]): Logger {
  return pino({
    level,
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: ['token', '*.token', 'secret', '*.secret', 'headers.authorization', '*.headers.authorization'],
  });
}
