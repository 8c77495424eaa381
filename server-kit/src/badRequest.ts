import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { anyPack } from '@bufbuild/protobuf/wkt';
import { Metadata, status } from '@grpc/grpc-js';
import { type BadRequest_FieldViolationSchema, BadRequestSchema } from '@mediasoup-server/proto/errorDetails';
import { StatusSchema } from '@mediasoup-server/proto/rpcStatus';

/** Where a failed call carries more than its code and text. */
const DETAILS = 'grpc-status-details-bin';

/** The trailer of a call that failed with INVALID_ARGUMENT. */
export function badRequest(
  message: string,
  fieldViolations: MessageInitShape<typeof BadRequest_FieldViolationSchema>[],
): Metadata {
  const details = [anyPack(BadRequestSchema, create(BadRequestSchema, { fieldViolations }))];
  const trailer = new Metadata();
  trailer.set(
    DETAILS,
    Buffer.from(toBinary(StatusSchema, create(StatusSchema, { code: status.INVALID_ARGUMENT, message, details }))),
  );
  return trailer;
}
