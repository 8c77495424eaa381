import type { PooledWorker } from './WorkerPool.ts';

/** What mediasoup makes on a worker: a router, a transport, one end of a pipe. */
type Closable = {
  readonly observer: { emit(event: 'close'): unknown };
  close(): void;
};

/**
 * Closes what is on a worker, and never throws, so that nothing else stays open because of it. mediasoup throws where
 * the worker's channel is broken, and then tells nobody that the thing has closed: who observes it is told here, and the
 * worker is checked.
 */
export function closeOn(pooledWorker: PooledWorker, thing: Closable | undefined): void {
  try {
    thing?.close();
  } catch (error) {
    pooledWorker.check(error);
    thing?.observer.emit('close');
  }
}
