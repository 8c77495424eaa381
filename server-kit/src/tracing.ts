import { setTimeout as delay } from 'node:timers/promises';

/** How long the last spans may take to be sent when a process ends, ms. */
const CLOSE_MS = 2000;

export type SpanOptions = {
  /** Whether it serves a caller, or calls another process. */
  readonly kind: 'server' | 'client';
  readonly attributes?: Readonly<Record<string, string>>;
  /** Where the caller is in its trace, when that is in another process (W3C Trace Context, `traceparent`). */
  readonly traceparent?: string | undefined;
};

/** What sends spans somewhere. */
export type Tracer = {
  inSpan<T>(name: string, options: SpanOptions, action: () => Promise<T>): Promise<T>;
  /** Sends what was not sent yet. */
  close(): Promise<void>;
};

/** One for the process, as the log is. */
let tracer: Tracer | undefined;

export function setTracer(started: Tracer): void {
  tracer = started;
}

/** Does something within a span of the trace that the present code is in, where traces are sent; else it is just done. */
export const inSpan = <T>(name: string, options: SpanOptions, action: () => Promise<T>): Promise<T> =>
  tracer ? tracer.inSpan(name, options, action) : action();

/** Sends what was not sent yet, as far as somebody takes it in time. */
export async function endTracing(): Promise<void> {
  await Promise.race([tracer?.close(), delay(CLOSE_MS, undefined, { ref: false })]);
  tracer = undefined;
}
