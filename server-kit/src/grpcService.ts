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
