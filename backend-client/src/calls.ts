import {
  create,
  type DescMessage,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  type DescService,
  type Message,
  type MessageInitShape,
  type MessageShape,
} from '@bufbuild/protobuf';
import { type CallOptions, type Client, Metadata } from '@grpc/grpc-js';
import { methodDefinition } from '@mediasoup-server/proto/grpcMethods';

/** The methods of a service as async functions and generators. */
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

type AnyInit = MessageInitShape<DescMessage>;

/**
 * The typed calls of a service over a client.
 *
 * A call rejects with grpc-js's ServiceError. Without a deadline in `options` it waits for ever. Leaving the loop over a
 * stream cancels the stream.
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

/** @returns removes the listener. */
function cancelWith(signal: AbortSignal | undefined, call: { cancel(): void }): () => void {
  const cancel = () => call.cancel();
  if (signal?.aborted) cancel();
  signal?.addEventListener('abort', cancel);
  return () => signal?.removeEventListener('abort', cancel);
}
