import type { types } from 'mediasoup';
import { RequestError } from '../errors.ts';
import type { Speakers } from '../speakers/Speakers.ts';
import { chooseWorker } from '../workers/chooseWorker.ts';
import type { PooledWorker, WorkerPool } from '../workers/WorkerPool.ts';
import { Pipe, type Receiver, type Sent } from './Pipe.ts';
import { RoomRouter } from './RoomRouter.ts';
import { RouterLink } from './RouterLink.ts';

/**
 * A room's routers, each on another worker, and the pipes between them. It begins with one and grows when that one's
 * worker is saturated. What a peer sends is brought to another router only while somebody there receives it.
 */
export class RouterMesh {
  readonly #pool: WorkerPool;
  readonly #speakers: Speakers;
  readonly #died: (router: RoomRouter) => void;
  readonly #routers = new Set<RoomRouter>();
  readonly #links = new Set<RouterLink>();
  /** By what they bring and whither. */
  readonly #pipes = new Map<string, Pipe>();
  /** The pipe that a consumer on another router than its producer's receives from. */
  readonly #pipeOf = new WeakMap<Receiver, Pipe>();
  #rtpCapabilities: types.RtpCapabilities = {};

  /** @param died called when a router ended because its worker did. */
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

  /** Whether no router is left that could carry anything. */
  get closed(): boolean {
    return this.routers.every(({ closed }) => closed);
  }

  get routers(): RoomRouter[] {
    return [...this.#routers];
  }

  get pipes(): Pipe[] {
    return [...this.#pipes.values()];
  }

  /** The same of all routers. */
  get rtpCapabilities(): types.RtpCapabilities {
    return this.#rtpCapabilities;
  }

  /**
   * The router for a peer that joins; it may have to open yet.
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
   * Has a consumer made on one router of what is sent on another, which is brought there first where it is not yet.
   *
   * @throws RequestError 404 when what is sent closes meanwhile, 503 when a worker ends.
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

  /** Has what a consumer receives be brought, or no longer, now that it has resumed or paused. */
  async settle(consumer: types.Consumer): Promise<void> {
    await this.#pipeOf.get(consumer)?.settle();
  }

  /** Ends every router and what it carries. */
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

  #link(a: RoomRouter, b: RoomRouter): RouterLink {
    for (const link of this.#links) {
      if (link.closed) this.#links.delete(link);
      else if (link.joins(a, b)) return link;
    }
    const link = new RouterLink(a, b, this.#pool.linkPorts);
    this.#links.add(link);
    return link;
  }

  /** A router takes its ends of links and pipes with it, and they their others. */
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
