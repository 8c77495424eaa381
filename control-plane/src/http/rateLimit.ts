import { HttpProblem } from '@mediasoup-server/server-kit/problem';
import type { Request } from 'express';
import { ipKeyGenerator, type RateLimitRequestHandler, rateLimit } from 'express-rate-limit';
import type { Metrics } from '../metrics.ts';
import { HitCounts } from './HitCounts.ts';

/** The window of every limit, ms. It begins with the client's first request. */
export const WINDOW_MS = 60_000;

/**
 * The client that a limit counts: its IP address, or the /56 network of an IPv6 address, because one customer has that. The
 * address is the socket's, or that of `X-Forwarded-For` if the app's "trust proxy" trusts the proxy.
 */
export const clientOf = (request: Request): string => ipKeyGenerator(request.ip ?? '');

/**
 * Answers 429 TOO_MANY_REQUESTS with `Retry-After` to a client that asks more often, and every request with `RateLimit`
 * and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-08). The counts are this process's own.
 *
 * @param limit what the headers and the metrics call it.
 */
export function perMinute(
  limit: string,
  most: number,
  { limited }: Pick<Metrics, 'limited'>,
  store = new HitCounts(WINDOW_MS),
): RateLimitRequestHandler {
  return rateLimit({
    windowMs: WINDOW_MS,
    limit: most,
    store,
    identifier: limit,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    keyGenerator: clientOf,
    // The validations would print headers of strangers to the console.
    validate: false,
    handler: (_request, _response, next) => {
      limited.inc({ limit });
      next(new HttpProblem('TOO_MANY_REQUESTS', `${limit}: more than ${most} a minute`));
    },
  });
}
