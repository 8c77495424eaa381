import type { types } from 'mediasoup';
import type { RouterSpeakers } from '../speakers/RouterSpeakers.ts';
import type { Speakers } from '../speakers/Speakers.ts';
import { closeOn } from '../workers/closeOn.ts';
import { mediaCodecs } from '../workers/codecs.ts';
import type { PooledWorker } from '../workers/WorkerPool.ts';

/** The options of a transport that a peer's client chooses. */
export type TransportOptions = Pick<
  types.WebRtcTransportOptions,
  'enableUdp' | 'enableTcp' | 'preferUdp' | 'enableSctp' | 'initialAvailableOutgoingBitrate'
>;

export type RoomRouterHooks = {
  /** It closed without being asked: its worker died, or could not create it. */
  readonly died: (router: RoomRouter) => void;
  /** Its last peer left. */
  readonly emptied: (router: RoomRouter) => void;
};

/** A room's router on one worker. It exists at once and opens meanwhile; `opened` waits for that. */
export class RoomRouter {
  readonly pooledWorker: PooledWorker;
  /** Rejects when its worker dies before it is open. */
  readonly opened: Promise<types.Router>;
  readonly #peers = new Set<object>();
  readonly #hooks: RoomRouterHooks;
  #router: types.Router | undefined;
  #speakers: RouterSpeakers | undefined;
  #closed = false;

  constructor(pooledWorker: PooledWorker, speakers: Speakers, hooks: RoomRouterHooks) {
    this.pooledWorker = pooledWorker;
    this.#hooks = hooks;
    this.opened = this.#open(speakers);
    this.opened.catch(() => this.#die());
  }

  /** True from the worker's death on, which closes what is on a router before the router itself. */
  get closed(): boolean {
    return this.#closed || this.pooledWorker.worker.closed;
  }

  get peerCount(): number {
    return this.#peers.size;
  }

  join(peer: object): void {
    this.#peers.add(peer);
  }

  leave(peer: object): void {
    if (this.#peers.delete(peer) && this.#peers.size === 0 && !this.#closed) this.#hooks.emptied(this);
  }

  async createTransport(options: TransportOptions): Promise<types.WebRtcTransport> {
    const router = await this.opened;
    return router.createWebRtcTransport({ ...options, webRtcServer: this.pooledWorker.webRtcServer });
  }

  /** Whether these capabilities can receive a producer of this router. */
  canConsume(producerId: string, rtpCapabilities: types.RtpCapabilities): boolean {
    return this.#router?.canConsume({ producerId, rtpCapabilities }) ?? false;
  }

  /** Listens to an audio producer on this router. */
  async listenTo(producer: types.Producer): Promise<void> {
    await this.#speakers?.add(producer);
  }

  /** Closes it and everything on it. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeOn(this.pooledWorker, this.#router);
  }

  async #open(speakers: Speakers): Promise<types.Router> {
    const router = await this.pooledWorker.worker.createRouter({ mediaCodecs });
    router.on('workerclose', () => this.#die());
    this.#router = router;
    this.#speakers = await speakers.listen(router);
    if (this.#closed) closeOn(this.pooledWorker, router);
    return router;
  }

  #die(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeOn(this.pooledWorker, this.#router);
    this.#hooks.died(this);
  }
}
