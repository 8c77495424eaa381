import { type EventEmitter, once } from 'node:events';
import {
  create,
  type DescMessage,
  type DescMethod,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  type DescService,
  type Message,
  type MessageInitShape,
  type MessageShape,
} from '@bufbuild/protobuf';
import type {
  handleServerStreamingCall,
  handleUnaryCall,
  Metadata,
  ServerUnaryCall,
  ServerWritableStream,
  ServiceDefinition,
  StatusObject,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { methodDefinition } from '@mediasoup-server/proto/grpcMethods';

/** The call of a method, besides its request. */
export type CallContext = {
  readonly metadata: Metadata;
  /** Aborted when the caller disconnects or its deadline passes. */
  readonly signal: AbortSignal;
};

/** The methods of a service by name, as a server implements them. A stream may yield encoded messages. */
export type ServiceMethods<S extends DescService> = {
  [K in keyof S['method']]: S['method'][K] extends DescMethodUnary<infer I, infer O>
    ? (request: MessageShape<I>, context: CallContext) => Promise<MessageInitShape<O>>
    : S['method'][K] extends DescMethodServerStreaming<infer I, infer O>
      ? (request: MessageShape<I>, context: CallContext) => AsyncIterable<MessageInitShape<O> | Uint8Array>
      : never;
};

/** A call as an interceptor sees it. */
export type Call = CallContext & {
  readonly method: DescMethod;
  /** An empty message if the request could not be decoded. */
  readonly request: Message;
  readonly isMalformed: boolean;
  /** The caller's address. */
  readonly peer: string;
  /** Unix time in ms, or Infinity. */
  readonly deadline: number;
  sendMetadata(metadata: Metadata): void;
  /** Aborts `signal`, which ends the work for the call. */
  abort(): void;
};

/** Wraps every call. Never throws; resolves to the status of a failure. */
export type Intercept = (call: Call, proceed: () => Promise<void>) => Promise<Partial<StatusObject> | undefined>;

/** Stands for a request that could not be decoded. */
const MALFORMED = Symbol('malformed');

type AnyMethod = (request: unknown, context: CallContext) => unknown;
type AnyInit = MessageInitShape<DescMessage>;

/** Describes a protobuf-es service to @grpc/grpc-js's server. */
export function serviceDefinition(service: DescService): ServiceDefinition {
  const definitions = service.methods.map((method) => {
    const definition = methodDefinition(service, method);
    // grpc-js would report a malformed request as the server's error. The interceptor answers INVALID_ARGUMENT.
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

/** Adapts promises and async iterators to the callbacks and streams of @grpc/grpc-js. */
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
          // Waits for slow readers, so that nothing is buffered without bound.
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
