import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { anyPack, anyUnpack } from '@bufbuild/protobuf/wkt';
import { Metadata, status } from '@grpc/grpc-js';
import {
  type BadRequest_FieldViolation,
  type BadRequest_FieldViolationSchema,
  BadRequestSchema,
} from './gen/google/rpc/error_details_pb.ts';
import { StatusSchema } from './gen/google/rpc/status_pb.ts';

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

/** The fields that a failed call says are not valid, each as `peer_ids[2]` with what is wrong with it. */
export function fieldViolations({ metadata }: { readonly metadata: Metadata }): BadRequest_FieldViolation[] {
  return metadata.get(DETAILS).flatMap((value) => {
    const { details } = fromBinary(StatusSchema, value as Buffer);
    return details.flatMap((detail) => anyUnpack(detail, BadRequestSchema)?.fieldViolations ?? []);
  });
}
