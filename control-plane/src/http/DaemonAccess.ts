import type { RequestHandler, Response } from 'express';
import type { RateLimitRequestHandler } from 'express-rate-limit';
import type { DaemonSecret } from '../directory/DaemonSecret.ts';
import type { Metrics } from '../metrics.ts';
import { keyOfDaemon, requireKey, requireSecret } from './bearer.ts';
import { HitCounts } from './HitCounts.ts';
import { clientOf, perMinute, WINDOW_MS } from './rateLimit.ts';

/** How many proven secrets are remembered. The oldest is forgotten first and must be proven again. */
const MAX_PROVEN = 20_000;

/**
 * Authenticates media daemons. Valid requests are not rate-limited, however many daemons share an address. After too many
 * wrong keys or secrets from an address, unproven secrets from it are refused without a look at the tables. The key and
 * proven secrets still pass, so a stranger, or a daemon with a wrong key, locks nobody out.
 */
export class DaemonAccess {
  readonly #daemonKey: string;
  readonly #most: number;
  readonly #wrong = new HitCounts(WINDOW_MS);
  readonly #limit: RateLimitRequestHandler;
  readonly #proven = new Set<string>();

  constructor(daemonKey: string, wrongKeysPerMinute: number, metrics: Metrics) {
    this.#daemonKey = daemonKey;
    this.#most = wrongKeysPerMinute;
    this.#limit = perMinute('wrongKeys', wrongKeysPerMinute, metrics, this.#wrong);
  }

  /** For registrations: answers 401 UNAUTHORIZED, or 429, unless the request carries the key of all daemons, or this one's. */
  readonly withKey: RequestHandler = (request, response, next) => {
    try {
      const { daemonId = '' } = request.params;
      requireKey(request, [this.#daemonKey, keyOfDaemon(this.#daemonKey, String(daemonId))]);
    } catch (wrong) {
      this.#limit(request, response, (over) => next(over ?? wrong));
      return;
    }
    next();
  };

  /** For everything else: answers 401 UNAUTHORIZED, or 429, unless the request carries what may be a daemon's secret. */
  readonly withSecret: RequestHandler = async (request, response, next) => {
    let secret: DaemonSecret;
    try {
      secret = requireSecret(request);
    } catch (wrong) {
      this.#limit(request, response, (over) => next(over ?? wrong));
      return;
    }
    response.locals.secret = secret;
    if (this.#proven.has(secret.hash)) {
      next();
      return;
    }
    const client = clientOf(request);
    const { totalHits = 0 } = this.#wrong.get(client) ?? {};
    if (totalHits >= this.#most) {
      await this.#limit(request, response, next);
      return;
    }
    response.once('finish', () => {
      // Tables that cannot be read say nothing about the secret.
      if (response.statusCode < 500 && !this.#proven.has(secret.hash)) this.#wrong.increment(client);
    });
    next();
  };

  /** Remembers that the tables know the request's secret. */
  prove(response: Response): void {
    const { hash } = secretOf(response);
    this.#proven.delete(hash);
    this.#proven.add(hash);
    const [oldest] = this.#proven;
    if (oldest !== undefined && this.#proven.size > MAX_PROVEN) this.#proven.delete(oldest);
  }
}

/** The secret of a request that has passed `withSecret`. */
export const secretOf = (response: Response): DaemonSecret => response.locals.secret as DaemonSecret;
