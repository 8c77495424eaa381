import type { PooledWorker } from './WorkerPool.ts';

/** A mediasoup object on a worker: a router, a transport, one end of a pipe. */
type Closable = {
  readonly observer: { emit(event: 'close'): unknown };
  close(): void;
};

/**
 * Closes an object on a worker, and never throws, so that nothing else stays open because of it. mediasoup throws when the
 * worker's channel is broken, and then emits no `close`: this does, and checks the worker.
 */
export function closeOn(pooledWorker: PooledWorker, thing: Closable | undefined): void {
  try {
    thing?.close();
  } catch (error) {
    pooledWorker.check(error);
    thing?.observer.emit('close');
  }
}
