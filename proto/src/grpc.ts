import { type EventEmitter, once } from 'node:events';
import {
  create,
  type DescMessage,
  type DescMethod,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  type DescService,
  fromBinary,
  type Message,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import {
  type CallOptions,
  type Client,
  type handleServerStreamingCall,
  type handleUnaryCall,
  Metadata,
  type MethodDefinition,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type StatusObject,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';

/** What the implementation of a method is told about its call, besides the request. */
export type CallContext = {
  readonly metadata: Metadata;
  /** Aborted when the caller has gone away, or its deadline has passed. */
  readonly signal: AbortSignal;
};

/** The methods of a service by their names, as a server implements them. A stream may hold messages encoded already. */
export type ServiceMethods<S extends DescService> = {
  [K in keyof S['method']]: S['method'][K] extends DescMethodUnary<infer I, infer O>
    ? (request: MessageShape<I>, context: CallContext) => Promise<MessageInitShape<O>>
    : S['method'][K] extends DescMethodServerStreaming<infer I, infer O>
      ? (request: MessageShape<I>, context: CallContext) => AsyncIterable<MessageInitShape<O> | Uint8Array>
      : never;
};

/** The methods of a service as a client calls them. */
export type ServiceCalls<S extends DescService> = {
  [K in keyof S['method']]: S['method'][K] extends DescMethodUnary<infer I, infer O>
    ? (request: MessageInitShape<I>, options?: CallSettings) => Promise<MessageShape<O>>
    : S['method'][K] extends DescMethodServerStreaming<infer I, infer O>
      ? (request: MessageInitShape<I>, options?: CallSettings) => AsyncGenerator<MessageShape<O>, void>
      : never;
};

export type CallSettings = CallOptions & {
  readonly metadata?: Metadata;
  /** Cancels the call. */
  readonly signal?: AbortSignal;
};

/** A call as an interceptor sees it. */
export type Call = CallContext & {
  readonly method: DescMethod;
  /** Empty where what came is no message of its type. */
  readonly request: Message;
  readonly isMalformed: boolean;
  /** The caller's address. */
  readonly peer: string;
  /** Unix time in ms, or Infinity. */
  readonly deadline: number;
  sendMetadata(metadata: Metadata): void;
  /** Aborts `signal`, so that what acts for the call ends. */
  abort(): void;
};

/** What is around every call. It never throws, and resolves to the status of a failure. */
export type Intercept = (call: Call, proceed: () => Promise<void>) => Promise<Partial<StatusObject> | undefined>;

/** What came in place of a request. */
const MALFORMED = Symbol('malformed');

type AnyMethod = (request: unknown, context: CallContext) => unknown;
type AnyInit = MessageInitShape<DescMessage>;

const codecOf = <M extends DescMessage>(desc: M) => ({
  serialize: (message: MessageShape<M> | Uint8Array): Buffer =>
    Buffer.from(message instanceof Uint8Array ? message : toBinary(desc, message)),
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

/** Describes a protobuf-es service to @grpc/grpc-js's server. */
export function serviceDefinition(service: DescService): ServiceDefinition {
  const definitions = service.methods.map((method) => {
    const definition = methodDefinition(service, method);
    // A request that cannot be read is the caller's fault, which grpc-js would call the server's: the interceptor says so.
    const requestDeserialize = (bytes: Buffer) => {
      try {
        return definition.requestDeserialize(bytes);
      } catch {
        return MALFORMED;
      }
    };
    return [method.localName, { ...definition, requestDeserialize }];
  });
  return Object.fromEntries(definitions);
}

/** Makes promises and async iterators into the callbacks and streams that @grpc/grpc-js wants. */
export function serviceHandlers<S extends DescService>(
  service: S,
  methods: ServiceMethods<S>,
  intercept: Intercept,
): UntypedServiceImplementation {
  const implementation: UntypedServiceImplementation = {};
  for (const method of service.methods) {
    const invoke = (methods[method.localName as keyof ServiceMethods<S>] as AnyMethod).bind(methods);
    const unary: handleUnaryCall<Message, Message> = (call, callback) => {
      const described = describeCall(method, call);
      let answer: Message | undefined;
      const proceed = async () => {
        answer = create(method.output, (await invoke(described.request, described)) as AnyInit);
      };
      void intercept(described, proceed).then((failure) => callback(failure ?? null, answer));
    };
    const streaming: handleServerStreamingCall<Message, Message> = (call) => {
      const described = describeCall(method, call);
      const proceed = async () => {
        for await (const message of invoke(described.request, described) as AsyncIterable<AnyInit | Uint8Array>) {
          // Who reads slowly is waited for, so that nothing piles up.
          const encoded = (message instanceof Uint8Array ? message : create(method.output, message)) as Message;
          if (!call.write(encoded)) await once(call, 'drain', { signal: described.signal });
        }
      };
      void intercept(described, proceed).then((failure) => {
        if (failure) call.emit('error', failure);
        else call.end();
      });
    };
    implementation[method.localName] = method.methodKind === 'unary' ? unary : streaming;
  }
  return implementation;
}

function describeCall(
  method: DescMethod,
  call: ServerUnaryCall<Message, Message> | ServerWritableStream<Message, Message>,
): Call {
  const gone = new AbortController();
  (call as EventEmitter).on('cancelled', () => gone.abort());
  const isMalformed = (call.request as unknown) === MALFORMED;
  return {
    method,
    request: isMalformed ? create(method.input) : call.request,
    isMalformed,
    metadata: call.metadata,
    signal: gone.signal,
    peer: call.getPeer(),
    deadline: Number(call.getDeadline()),
    sendMetadata: (metadata) => call.sendMetadata(metadata),
    abort: () => gone.abort(),
  };
}

/**
 * The typed calls of a service on a channel of its own.
 *
 * A call rejects with grpc-js's ServiceError; without a deadline in `options` it waits for ever. A stream is cancelled when
 * its loop is left.
 */
export function serviceCalls<S extends DescService>(service: S, client: Client): ServiceCalls<S> {
  const calls: Record<string, unknown> = {};
  for (const method of service.methods) {
    const { path, requestSerialize, responseDeserialize } = methodDefinition(service, method);
    const unary = (init: AnyInit, { metadata = new Metadata(), signal, ...options }: CallSettings = {}) =>
      new Promise((resolve, reject) => {
        const request = create(method.input, init);
        const call = client.makeUnaryRequest(
          path,
          requestSerialize,
          responseDeserialize,
          request,
          metadata,
          options,
          (error, value) => {
            stop();
            if (error) reject(error);
            else resolve(value);
          },
        );
        const stop = cancelWith(signal, call);
      });
    const streaming = async function* (
      init: AnyInit,
      { metadata = new Metadata(), signal, ...options }: CallSettings = {},
    ) {
      const request = create(method.input, init);
      const call = client.makeServerStreamRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        metadata,
        options,
      );
      const stop = cancelWith(signal, call);
      try {
        yield* call as AsyncIterable<Message>;
      } finally {
        stop();
        call.cancel();
      }
    };
    calls[method.localName] = method.methodKind === 'unary' ? unary : streaming;
  }
  return calls as ServiceCalls<S>;
}

/** @returns what ends the connection between the two. */
function cancelWith(signal: AbortSignal | undefined, call: { cancel(): void }): () => void {
  const cancel = () => call.cancel();
  if (signal?.aborted) cancel();
  signal?.addEventListener('abort', cancel);
  return () => signal?.removeEventListener('abort', cancel);
}
