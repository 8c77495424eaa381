import { HttpProblem } from '@mediasoup-server/server-kit/problem';
import express, { type RequestHandler } from 'express';

const parse = express.json({ limit: '64kb' });

/** Reads a JSON object of at most 64 KiB; anything else is refused before a route sees it. */
export const jsonBody: RequestHandler = (request, response, next) => {
  if (!request.is('application/json')) throw new HttpProblem('UNSUPPORTED_MEDIA_TYPE');
  parse(request, response, next);
};
