import type { RequestHandler } from 'express';

/** What an answer of the API may do where a browser shows it as a page: nothing. */
const API_POLICY = "default-src 'none'; frame-ancestors 'none'";

/** Sets the headers that keep browsers from guessing an answer's type, from framing it, and from running anything in it. */
export const securityHeaders: RequestHandler = (_request, response, next) => {
  response.set({
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Content-Security-Policy': API_POLICY,
  });
  next();
};
