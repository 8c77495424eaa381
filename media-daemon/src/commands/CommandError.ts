import { type Metadata, type StatusObject, status } from '@grpc/grpc-js';
import { errorCodes } from '@mediasoup-server/proto/errorCodes';
import { grpcErrorDetails } from '@mediasoup-server/server-kit/grpcErrorDetails';
import type { z } from 'zod';
import { RequestError } from '../errors.ts';

/** The failure of a command, as a gRPC status. */
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
    const wrong = violations.map(({ field, description }) => `${field} ${description}`).join('; ');
    const message = `INVALID_REQUEST: ${wrong}`;
    return new CommandError(status.INVALID_ARGUMENT, message, {
      metadata: grpcErrorDetails('INVALID_REQUEST', message, violations),
    });
  }

  /** Maps what rooms and mediasoup throw; anything unknown becomes INTERNAL, without its text. */
  static from(error: unknown): CommandError {
    if (error instanceof CommandError) return error;
    const { code, reason } = RequestError.from(error);
    const metadata = grpcErrorDetails(code, reason);
    return new CommandError(status[errorCodes[code].grpc], reason, { cause: error, metadata });
  }

  toStatus(): Partial<StatusObject> {
    return { code: this.code, details: this.message, ...(this.metadata && { metadata: this.metadata }) };
  }
}

/** A field's path as its proto file spells it: `peer_ids[2]`. */
function fieldName(path: readonly PropertyKey[]): string {
  const [first, ...rest] = path.map((part) =>
    typeof part === 'number' ? `[${part}]` : String(part).replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
  );
  return [first, ...rest.map((part) => (part.startsWith('[') ? part : `.${part}`))].join('');
}
