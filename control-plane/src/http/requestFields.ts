import { idSchema } from '@mediasoup-server/proto/ids';
import { HttpProblem } from '@mediasoup-server/server-kit/problem';
import type { RequestHandler } from 'express';
import type { z } from 'zod';

/** @throws HttpProblem INVALID_REQUEST that names the parameter. */
export function readId(name: 'roomId' | 'daemonId', params: Readonly<Record<string, unknown>>): string {
  const parsed = idSchema.safeParse(params[name]);
  if (parsed.success) return parsed.data;
  throw new HttpProblem('INVALID_REQUEST', `${name}: ${parsed.error.issues[0]?.message}`);
}

/** @throws HttpProblem INVALID_REQUEST that names every wrong member. */
export function readBody<S extends z.ZodType>(schema: S, body: unknown): z.infer<S> {
  return readFields('body', schema, body);
}

/** @throws HttpProblem INVALID_REQUEST that names every wrong parameter. */
export function readQuery<S extends z.ZodType>(schema: S, query: unknown): z.infer<S> {
  return readFields('query', schema, query);
}

function readFields<S extends z.ZodType>(whole: string, schema: S, value: unknown): z.infer<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map(({ path, message }) => `${path.join('.') || whole}: ${message}`);
  throw new HttpProblem('INVALID_REQUEST', lines.join('; '));
}

/** Refuses broken percent-encoding in paths, and names the id; the router's own error does not. */
export const checkPathEncoding: RequestHandler = (request, _response, next) => {
  const segments = request.path.split('/');
  segments.forEach((segment, index) => {
    try {
      decodeURIComponent(segment);
    } catch {
      const field = { rooms: 'roomId', daemons: 'daemonId' }[segments[index - 1] ?? ''] ?? 'path';
      throw new HttpProblem('INVALID_REQUEST', `${field}: is not valid percent-encoding of UTF-8`);
    }
  });
  next();
};
