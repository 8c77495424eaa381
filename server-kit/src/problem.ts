import { errorCodes } from '@mediasoup-server/proto/errorCodes';
import type { Problem, ProblemCode } from '@mediasoup-server/proto/http';
import type { ErrorRequestHandler, Request, RequestHandler } from 'express';

/** A failure that is answered as a problem (RFC 9457) with a code of the catalogue. */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem';
  readonly code: ProblemCode;
  /** Seconds, for the `Retry-After` header. */
  readonly retryAfter: number | undefined;

  constructor(code: ProblemCode, detail?: string, options: { retryAfter?: number; cause?: unknown } = {}) {
    super(detail ?? errorCodes[code].meaning, { cause: options.cause });
    this.code = code;
    this.retryAfter = options.retryAfter;
  }

  /** Maps errors of body-parser and express; any other error becomes INTERNAL, without its text. */
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
    const { http: status, meaning: title } = errorCodes[this.code];
    const detail = this.message === title ? {} : { detail: this.message };
    return { type: 'about:blank', title, status, code: this.code, ...detail };
  }
}

/** Answers requests that no route handles. */
export const notFound: RequestHandler = (_request, _response, next) => next(new HttpProblem('NOT_FOUND'));

/** Answers the methods that a route does not have. */
export const methodNotAllowed =
  (...allowed: string[]): RequestHandler =>
  (_request, response, next) => {
    response.set('Allow', allowed.join(', '));
    next(new HttpProblem('METHOD_NOT_ALLOWED'));
  };

/** Answers a route's error as a problem. An INTERNAL one goes to `report` too. */
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
    response.status(errorCodes[problem.code].http).type('application/problem+json').send(JSON.stringify(problem));
  };
