import { AsyncLocalStorage } from 'node:async_hooks';

/** The request that the current code runs for. Log lines and outgoing calls carry it. */
export type RequestContext = {
  /** The request's id, the same in every process that it reaches. */
  readonly requestId?: string;
  /** The request's trace, if traces are sent. */
  readonly traceId?: string;
  /** The position in that trace (W3C Trace Context). */
  readonly traceparent?: string;
};

const storage = new AsyncLocalStorage<RequestContext>();

export const requestContext = (): RequestContext => storage.getStore() ?? {};

/** Runs an action, and everything that it starts, with the given context over the current one. */
export const inContext = <T>(context: RequestContext, action: () => T): T =>
  storage.run({ ...storage.getStore(), ...context }, action);

/** The caller's id for its request if it is a plain word, otherwise a new id. */
export const requestIdFrom = (given: unknown): string =>
  typeof given === 'string' && /^[\w.:-]{1,128}$/.test(given) ? given : crypto.randomUUID();
