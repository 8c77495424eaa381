import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { anyPack } from '@bufbuild/protobuf/wkt';
import { Metadata, status } from '@grpc/grpc-js';
import { type ErrorCode, errorCodes } from '@mediasoup-server/proto/errorCodes';
import {
  type BadRequest_FieldViolationSchema,
  BadRequestSchema,
  ErrorInfoSchema,
} from '@mediasoup-server/proto/errorDetails';
import { STATUS_DETAILS } from '@mediasoup-server/proto/grpcMethods';
import { StatusSchema } from '@mediasoup-server/proto/rpcStatus';

const DOMAIN = 'mediasoup-server';

/**
 * The trailer of a failed call: google.rpc.ErrorInfo with the code as `reason`, and google.rpc.BadRequest if fields of the
 * request are not valid.
 */
export function grpcErrorDetails(
  code: ErrorCode,
  message: string,
  fieldViolations: MessageInitShape<typeof BadRequest_FieldViolationSchema>[] = [],
): Metadata {
  const details = [anyPack(ErrorInfoSchema, create(ErrorInfoSchema, { reason: code, domain: DOMAIN }))];
  if (fieldViolations.length > 0)
    details.push(anyPack(BadRequestSchema, create(BadRequestSchema, { fieldViolations })));
  const failure = create(StatusSchema, { code: status[errorCodes[code].grpc], message, details });
  const trailer = new Metadata();
  trailer.set(STATUS_DETAILS, Buffer.from(toBinary(StatusSchema, failure)));
  return trailer;
}
