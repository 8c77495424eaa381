import {
  create,
  type DescMessage,
  type DescMethod,
  type DescMethodUnary,
  type DescService,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import {
  type CallOptions,
  type Client,
  type handleUnaryCall,
  Metadata,
  type MethodDefinition,
  type ServerUnaryCall,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';

/** The unary methods of a service by their names, as promises: what a server implements and what a client calls. */
export type UnaryMethods<S extends DescService> = {
  [K in keyof S['method'] as S['method'][K] extends DescMethodUnary
    ? K
    : never]: S['method'][K] extends DescMethodUnary<infer I, infer O>
    ? (
        request: MessageShape<I>,
        call: ServerUnaryCall<MessageShape<I>, MessageShape<O>>,
      ) => Promise<MessageInitShape<O>>
    : never;
};

/** The unary methods of a service as a client calls them. */
export type UnaryCalls<S extends DescService> = {
  [K in keyof S['method'] as S['method'][K] extends DescMethodUnary
    ? K
    : never]: S['method'][K] extends DescMethodUnary<infer I, infer O>
    ? (request: MessageInitShape<I>, options?: CallOptions) => Promise<MessageShape<O>>
    : never;
};

type UnaryMethod = (request: unknown, call: unknown) => Promise<MessageInitShape<DescMessage>>;

const codecOf = <M extends DescMessage>(desc: M) => ({
  serialize: (message: MessageShape<M>): Buffer => Buffer.from(toBinary(desc, message)),
  deserialize: (bytes: Buffer): MessageShape<M> => fromBinary(desc, bytes),
});

function methodDefinition(
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

/** Describes a protobuf-es service to @grpc/grpc-js. */
export function serviceDefinition(service: DescService): ServiceDefinition {
  return Object.fromEntries(service.methods.map((method) => [method.localName, methodDefinition(service, method)]));
}

/**
 * Wraps promises into the callbacks that @grpc/grpc-js wants.
 *
 * @param toStatus maps whatever a method throws to a gRPC status; it sees every failure.
 */
export function unaryHandlers<S extends DescService>(
  service: S,
  methods: UnaryMethods<S>,
  toStatus: (error: unknown, method: string) => { code: number; details: string; metadata?: Metadata },
): UntypedServiceImplementation {
  const implementation: UntypedServiceImplementation = {};
  for (const method of service.methods) {
    const invoke = methods[method.localName as keyof UnaryMethods<S>] as unknown as UnaryMethod;
    const handler: handleUnaryCall<MessageShape<DescMessage>, MessageShape<DescMessage>> = (call, callback) => {
      Promise.resolve()
        .then(() => invoke.call(methods, call.request, call))
        .then(
          (value) => callback(null, create(method.output, value)),
          (error: unknown) => callback(toStatus(error, method.localName)),
        );
    };
    implementation[method.localName] = handler;
  }
  return implementation;
}

/**
 * The typed calls of a service on a channel of its own.
 *
 * A call rejects with grpc-js's ServiceError; without a deadline in `options` it waits for ever.
 */
export function unaryCalls<S extends DescService>(service: S, client: Client): UnaryCalls<S> {
  const calls: Record<string, unknown> = {};
  for (const method of service.methods) {
    if (method.methodKind !== 'unary') continue;
    const { path, requestSerialize, responseDeserialize } = methodDefinition(service, method);
    calls[method.localName] = (request: MessageInitShape<DescMessage>, options: CallOptions = {}) =>
      new Promise((resolve, reject) => {
        client.makeUnaryRequest(
          path,
          requestSerialize,
          responseDeserialize,
          create(method.input, request),
          new Metadata(),
          options,
          (error, value) => (error ? reject(error) : resolve(value)),
        );
      });
  }
  return calls as UnaryCalls<S>;
}
