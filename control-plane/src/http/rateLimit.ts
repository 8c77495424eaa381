import { HttpProblem } from '@mediasoup-server/server-kit/problem';
import type { Request } from 'express';
import { ipKeyGenerator, type RateLimitRequestHandler, rateLimit } from 'express-rate-limit';
import type { Metrics } from '../metrics.ts';
import { HitCounts } from './HitCounts.ts';

/** Every limit counts over a minute, which begins with a client's first request. */
export const WINDOW_MS = 60_000;

/**
 * Who a limit counts: the IP address, of IPv6 the /56 network, which is what one customer is given. It comes from the
 * socket, and from `X-Forwarded-For` only as far as the app's "trust proxy" goes.
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
    // They would write to the console what a stranger's headers say.
    validate: false,
    handler: (_request, _response, next) => {
      limited.inc({ limit });
      next(new HttpProblem('TOO_MANY_REQUESTS', `${limit}: more than ${most} a minute`));
    },
  });
}
