import { type DescMessage, fromBinary, type MessageShape } from '@bufbuild/protobuf';
import { anyUnpack } from '@bufbuild/protobuf/wkt';
import type { Metadata } from '@grpc/grpc-js';
import {
  type BadRequest_FieldViolation,
  BadRequestSchema,
  ErrorInfoSchema,
} from '@mediasoup-server/proto/errorDetails';
import { STATUS_DETAILS } from '@mediasoup-server/proto/grpcMethods';
import { StatusSchema } from '@mediasoup-server/proto/rpcStatus';

/** grpc-js's ServiceError, or its trailer. */
type Failure = { readonly metadata: Metadata };

/** The catalogue's code of a failed call, such as `ROOM_NOT_FOUND`; undefined for a failure that no daemon answered. */
export const errorReason = (failure: Failure): string | undefined => detailsOf(failure, ErrorInfoSchema)[0]?.reason;

/** The fields that a failed call says are not valid, each as `peer_ids[2]` with what is wrong with it. */
export const fieldViolations = (failure: Failure): BadRequest_FieldViolation[] =>
  detailsOf(failure, BadRequestSchema).flatMap((detail) => detail.fieldViolations);

function detailsOf<D extends DescMessage>({ metadata }: Failure, desc: D): MessageShape<D>[] {
  return metadata.get(STATUS_DETAILS).flatMap((value) => {
    const { details } = fromBinary(StatusSchema, value as Buffer);
    return details.flatMap((detail) => anyUnpack(detail, desc) ?? []);
  });
}
