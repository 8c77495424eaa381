import { setTimeout as delay } from 'node:timers/promises';

/** How long sending the last spans may take when a process ends, ms. */
const CLOSE_MS = 2000;

export type SpanOptions = {
  /** `server` if it serves a caller, `client` if it calls another process. */
  readonly kind: 'server' | 'client';
  readonly attributes?: Readonly<Record<string, string>>;
  /** The caller's position in its trace if the caller is another process (W3C Trace Context). */
  readonly traceparent?: string | undefined;
};

/** Sends spans. */
export type Tracer = {
  inSpan<T>(name: string, options: SpanOptions, action: () => Promise<T>): Promise<T>;
  /** Sends the remaining spans. */
  close(): Promise<void>;
};

/** One for the process, like the log. */
let tracer: Tracer | undefined;

export function setTracer(started: Tracer): void {
  tracer = started;
}

/** Runs an action in a span of the current trace, or without a span if traces are not sent. */
export const inSpan = <T>(name: string, options: SpanOptions, action: () => Promise<T>): Promise<T> =>
  tracer ? tracer.inSpan(name, options, action) : action();

/** Sends the remaining spans, within a time limit. */
export async function endTracing(): Promise<void> {
  await Promise.race([tracer?.close(), delay(CLOSE_MS, undefined, { ref: false })]);
  tracer = undefined;
}
