import { fromBinary } from '@bufbuild/protobuf';
import { anyUnpack } from '@bufbuild/protobuf/wkt';
import type { Metadata } from '@grpc/grpc-js';
import { type BadRequest_FieldViolation, BadRequestSchema } from '@mediasoup-server/proto/errorDetails';
import { StatusSchema } from '@mediasoup-server/proto/rpcStatus';

/** Where a failed call carries more than its code and text. */
const DETAILS = 'grpc-status-details-bin';

/** The fields that a failed call says are not valid, each as `peer_ids[2]` with what is wrong with it. */
export function fieldViolations({ metadata }: { readonly metadata: Metadata }): BadRequest_FieldViolation[] {
  return metadata.get(DETAILS).flatMap((value) => {
    const { details } = fromBinary(StatusSchema, value as Buffer);
    return details.flatMap((detail) => anyUnpack(detail, BadRequestSchema)?.fieldViolations ?? []);
  });
}
