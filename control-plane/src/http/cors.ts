import type { RequestHandler } from 'express';

/** How long a browser may cache the answer to a preflight, in seconds: an hour. */
const PREFLIGHT_SECONDS = '3600';

/** The response headers that pages may read. */
const EXPOSED_HEADERS = 'Retry-After, RateLimit, RateLimit-Policy';

/** Allows pages of these origins to use the API (CORS protocol of the Fetch standard); `*` is all origins. */
export function cors(origins: readonly string[]): RequestHandler {
  const all = origins.includes('*');
  return (request, response, next) => {
    const { origin } = request.headers;
    if (!all) response.vary('Origin');
    if (origin !== undefined && (all || origins.includes(origin))) {
      response.set('Access-Control-Allow-Origin', all ? '*' : origin);
      response.set('Access-Control-Expose-Headers', EXPOSED_HEADERS);
    }
    if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) {
      next();
      return;
    }
    response
      .set('Access-Control-Allow-Methods', 'GET, HEAD, POST')
      .set('Access-Control-Allow-Headers', 'Authorization, Content-Type')
      .set('Access-Control-Max-Age', PREFLIGHT_SECONDS)
      .status(204)
      .end();
  };
}
