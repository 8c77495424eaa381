import type { types } from 'mediasoup';
import { RequestError } from '../errors.ts';
import type { Speakers } from '../speakers/Speakers.ts';
import { chooseWorker } from '../workers/chooseWorker.ts';
import type { PooledWorker, WorkerPool } from '../workers/WorkerPool.ts';
import type { Link, Sent } from './Link.ts';
import { Pipe, type Receiver } from './Pipe.ts';
import { RoomRouter } from './RoomRouter.ts';
import { RouterLink } from './RouterLink.ts';

/**
 * A room's routers, each on another worker, and the pipes between them. It begins with one and grows when that one's
 * worker is saturated. A producer is piped to another router only while a peer there consumes it.
 */
export class RouterMesh {
  readonly #pool: WorkerPool;
  readonly #speakers: Speakers;
  readonly #died: (router: RoomRouter) => void;
  readonly #routers = new Set<RoomRouter>();
  readonly #links = new Set<Link>();
  /** By the producer and the router that it is piped to. */
  readonly #pipes = new Map<string, Pipe>();
  /** The pipe of each consumer that is on another router than its producer. */
  readonly #pipeOf = new WeakMap<Receiver, Pipe>();
  #rtpCapabilities: types.RtpCapabilities = {};

  /** @param died called when a router closed because its worker died. */
  constructor(pool: WorkerPool, speakers: Speakers, died: (router: RoomRouter) => void) {
    this.#pool = pool;
    this.#speakers = speakers;
    this.#died = died;
  }

  /**
   * Opens the first router, on the next worker in turn.
   *
   * @throws RequestError 503 when there is no worker.
   */
  async open(): Promise<void> {
    const first = this.#add(await this.#pool.next());
    this.#rtpCapabilities = (await first.opened).rtpCapabilities;
  }

  /** Whether no router is left. */
  get closed(): boolean {
    return this.routers.every(({ closed }) => closed);
  }

  get routers(): RoomRouter[] {
    return [...this.#routers];
  }

  get pipes(): Pipe[] {
    return [...this.#pipes.values()];
  }

  /** The same for all routers. */
  get rtpCapabilities(): types.RtpCapabilities {
    return this.#rtpCapabilities;
  }

  /**
   * Chooses the router for a peer that joins; it may still be opening.
   *
   * @throws RequestError 503 when no worker runs.
   */
  chooseRouter(): RoomRouter {
    const byWorker = new Map(this.routers.map((router) => [router.pooledWorker, router]));
    const chosen = chooseWorker(
      this.#pool.workers.map((pooledWorker) => {
        const { saturated, ratio } = pooledWorker.load;
        const router = byWorker.get(pooledWorker);
        return {
          pooledWorker,
          router,
          saturated,
          load: ratio,
          hasRouter: router !== undefined,
          peers: router?.peerCount ?? 0,
        };
      }),
    );
    if (!chosen) throw new RequestError('WORKER_UNAVAILABLE', 'no media worker is running now, try again');
    return chosen.router ?? this.#add(chosen.pooledWorker);
  }

  /**
   * Creates a consumer on router `to` of a producer on router `from`, which is piped there first if it is not yet.
   *
   * @throws RequestError 404 when the producer closes meanwhile, 503 when a worker dies.
   */
  async receive<C extends Receiver>(
    sent: Sent,
    from: RoomRouter,
    to: RoomRouter,
    consume: () => Promise<C>,
  ): Promise<C> {
    if (from === to) return consume();
    const key = `${sent.id} ${to.pooledWorker.worker.pid}`;
    let pipe = this.#pipes.get(key);
    if (!pipe) {
      pipe = new Pipe(sent, [from, to], this.#link(from, to), () => this.#pipes.delete(key));
      this.#pipes.set(key, pipe);
    }
    const consumer = await pipe.use(consume);
    this.#pipeOf.set(consumer, pipe);
    return consumer;
  }

  /** Resumes or pauses the pipe of a consumer after that did. */
  async settle(consumer: types.Consumer): Promise<void> {
    await this.#pipeOf.get(consumer)?.settle();
  }

  /** Closes every router and what it carries. */
  close(): void {
    for (const router of this.#routers) this.#remove(router);
  }

  #add(pooledWorker: PooledWorker): RoomRouter {
    const router = new RoomRouter(pooledWorker, this.#speakers, {
      died: () => {
        this.#remove(router);
        this.#died(router);
      },
      emptied: () => {
        if (this.#routers.size > 1) this.#remove(router);
      },
    });
    this.#routers.add(router);
    return router;
  }

  #link(a: RoomRouter, b: RoomRouter): Link {
    for (const link of this.#links) {
      if (link.closed) this.#links.delete(link);
      else if (link.joins(a, b)) return link;
    }
    const link = new RouterLink(a, b, this.#pool.linkPorts);
    this.#links.add(link);
    return link;
  }

  /** Closes a router, its links and their pipes. */
  #remove(router: RoomRouter): void {
    this.#routers.delete(router);
    for (const link of this.#links) {
      if (!link.joins(router, router)) continue;
      this.#links.delete(link);
      link.close();
    }
    router.close();
  }
}
