import { type Problem, type ProblemCode, problems } from '@mediasoup-server/proto/http';
import type { ErrorRequestHandler, Request, RequestHandler } from 'express';

/** A failure that an HTTP answer tells its caller: RFC 9457's problem with a code from the catalogue. */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem';
  readonly code: ProblemCode;
  /** Seconds, for the `Retry-After` header. */
  readonly retryAfter: number | undefined;

  constructor(code: ProblemCode, detail?: string, options: { retryAfter?: number; cause?: unknown } = {}) {
    super(detail ?? problems[code].title, { cause: options.cause });
    this.code = code;
    this.retryAfter = options.retryAfter;
  }

  /** Maps what body-parser and express themselves throw; anything unknown is INTERNAL, with nothing of it shown. */
  static from(error: unknown): HttpProblem {
    if (error instanceof HttpProblem) return error;
    const { status, message } = (error ?? {}) as { status?: unknown; message?: unknown };
    const detail = typeof message === 'string' ? message : undefined;
    if (status === 413) return new HttpProblem('PAYLOAD_TOO_LARGE', detail);
    if (status === 415) return new HttpProblem('UNSUPPORTED_MEDIA_TYPE', detail);
    if (typeof status === 'number' && status >= 400 && status < 500) return new HttpProblem('INVALID_REQUEST', detail);
    return new HttpProblem('INTERNAL', undefined, { cause: error });
  }

  toJSON(): Problem {
    const { status, title } = problems[this.code];
    const detail = this.message === title ? {} : { detail: this.message };
    return { type: 'about:blank', title, status, code: this.code, ...detail };
  }
}

/** Answers what no route took. */
export const notFound: RequestHandler = (_request, _response, next) => next(new HttpProblem('NOT_FOUND'));

/** Answers a route's other methods. */
export const methodNotAllowed =
  (...allowed: string[]): RequestHandler =>
  (_request, response, next) => {
    response.set('Allow', allowed.join(', '));
    next(new HttpProblem('METHOD_NOT_ALLOWED'));
  };

/** Turns whatever a route threw into a problem answer; what is our own fault goes to `report`. */
export const answerProblem =
  (report: (error: unknown, request: Request) => void): ErrorRequestHandler =>
  (error: unknown, request, response, next) => {
    const problem = HttpProblem.from(error);
    if (problem.code === 'INTERNAL') report(problem.cause ?? problem, request);
    if (response.headersSent) {
      next(error);
      return;
    }
    if (problem.retryAfter !== undefined) response.set('Retry-After', String(problem.retryAfter));
    if (problem.code === 'UNAUTHORIZED') response.set('WWW-Authenticate', 'Bearer');
    response.status(problems[problem.code].status).type('application/problem+json').send(JSON.stringify(problem));
  };
