import { AsyncLocalStorage } from 'node:async_hooks';

/** What the present code runs for; log lines and outgoing calls carry it. */
export type RequestContext = {
  /** One request, in every process that it reaches. */
  readonly requestId?: string;
  /** The trace that it is part of, where traces are sent. */
  readonly traceId?: string;
  /** Where in that trace (W3C Trace Context). */
  readonly traceparent?: string;
};

const storage = new AsyncLocalStorage<RequestContext>();

export const requestContext = (): RequestContext => storage.getStore() ?? {};

/** Has everything that the action does, also later, run for what is given beside what the caller runs for. */
export const inContext = <T>(context: RequestContext, action: () => T): T =>
  storage.run({ ...storage.getStore(), ...context }, action);

/** A caller's id for its request where it is a plain word, otherwise a new one. */
export const requestIdFrom = (given: unknown): string =>
  typeof given === 'string' && /^[\w.:-]{1,128}$/.test(given) ? given : crypto.randomUUID();
