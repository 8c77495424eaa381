import type { RequestHandler } from 'express';

/** An answer of the API that a browser shows as a page may load and run nothing. */
const API_POLICY = "default-src 'none'; frame-ancestors 'none'";

/** Sets headers so that browsers do not guess an answer's type, frame it, or run anything in it. */
export const securityHeaders: RequestHandler = (_request, response, next) => {
  response.set({
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Content-Security-Policy': API_POLICY,
  });
  next();
};
