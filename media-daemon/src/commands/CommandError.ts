import { type Metadata, type StatusObject, status } from '@grpc/grpc-js';
import { badRequest } from '@mediasoup-server/server-kit/badRequest';
import type { z } from 'zod';
import { RequestError } from '../errors.ts';

/** A failure of a command, as gRPC tells it. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly code: status;
  readonly metadata: Metadata | undefined;

  constructor(code: status, message: string, { metadata, ...options }: ErrorOptions & { metadata?: Metadata } = {}) {
    super(message, options);
    this.code = code;
    this.metadata = metadata;
  }

  /** INVALID_ARGUMENT, with what is wrong with each field. */
  static ofFields({ issues }: z.core.$ZodError): CommandError {
    const violations = issues.map(({ path, message }) => ({ field: fieldName(path), description: message }));
    const message = violations.map(({ field, description }) => `${field} ${description}`).join('; ');
    return new CommandError(status.INVALID_ARGUMENT, message, { metadata: badRequest(message, violations) });
  }

  /** Maps what rooms and mediasoup throw; anything unknown becomes INTERNAL with nothing of it shown. */
  static from(error: unknown): CommandError {
    if (error instanceof CommandError) return error;
    const { code, message } = RequestError.from(error);
    return new CommandError(statuses[code] ?? status.INTERNAL, message, { cause: error });
  }

  toStatus(): Partial<StatusObject> {
    return { code: this.code, details: this.message, ...(this.metadata && { metadata: this.metadata }) };
  }
}

/** What a room's refusals are called in gRPC; those that are not here are faults of ours. */
const statuses: Partial<Record<RequestError['code'], status>> = {
  400: status.INVALID_ARGUMENT,
  401: status.UNAUTHENTICATED,
  403: status.PERMISSION_DENIED,
  404: status.NOT_FOUND,
  408: status.DEADLINE_EXCEEDED,
  409: status.FAILED_PRECONDITION,
  422: status.INVALID_ARGUMENT,
  429: status.RESOURCE_EXHAUSTED,
  503: status.UNAVAILABLE,
};

/** A field's path as its proto file spells it: `peer_ids[2]`. */
function fieldName(path: readonly PropertyKey[]): string {
  const [first, ...rest] = path.map((part) =>
    typeof part === 'number' ? `[${part}]` : String(part).replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
  );
  return [first, ...rest.map((part) => (part.startsWith('[') ? part : `.${part}`))].join('');
}
