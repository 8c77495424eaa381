import {
  type DescMessage,
  type DescMethod,
  type DescService,
  fromBinary,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import type { MethodDefinition } from '@grpc/grpc-js';

/** The trailer of a failed call with its google.rpc.Status. */
export const STATUS_DETAILS = 'grpc-status-details-bin';

const codecOf = <M extends DescMessage>(desc: M) => ({
  serialize: (message: MessageShape<M> | Uint8Array): Buffer =>
    Buffer.from(message instanceof Uint8Array ? message : toBinary(desc, message)),
  deserialize: (bytes: Buffer): MessageShape<M> => fromBinary(desc, bytes),
});

/** Describes a method of a protobuf-es service to @grpc/grpc-js. Messages that are encoded already are sent as they are. */
export function methodDefinition(
  service: DescService,
  method: DescMethod,
): MethodDefinition<MessageShape<DescMessage>, MessageShape<DescMessage>> {
  const request = codecOf(method.input);
  const response = codecOf(method.output);
  return {
    path: `/${service.typeName}/${method.name}`,
    requestStream: method.methodKind === 'client_streaming' || method.methodKind === 'bidi_streaming',
    responseStream: method.methodKind === 'server_streaming' || method.methodKind === 'bidi_streaming',
    requestSerialize: request.serialize,
    requestDeserialize: request.deserialize,
    responseSerialize: response.serialize,
    responseDeserialize: response.deserialize,
    originalName: method.localName,
  };
}
