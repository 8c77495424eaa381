import type { types } from 'mediasoup';
import { RequestError } from '../errors.ts';
import { mediaCodecs } from '../workers/codecs.ts';
import type { PooledWorker } from '../workers/WorkerPool.ts';
import { type Notify, Peer } from './Peer.ts';

/** Why a room ended. */
export type RoomEnd = 'empty' | 'unjoined' | 'command' | 'worker' | 'fenced' | 'shutdown';

/** What a room's surroundings do when something happens to it. */
export type RoomHooks = {
  readonly closed: (room: Room, end: RoomEnd) => void;
  /** The peer was put out; its client's connection ends now. `comeBack` says whether it should connect again. */
  readonly peerRemoved: (room: Room, peer: Peer, comeBack: boolean) => void;
};

/** A room on this daemon: a router and the peers on it. It is removed when the last peer leaves. */
export class Room {
  readonly id: string;
  readonly createdAt = new Date();
  readonly workerPid: number;
  /** The version of the room's record at the control plane; 0 while it has none. */
  epoch: number;
  readonly #router: types.Router;
  readonly #webRtcServer: types.WebRtcServer;
  readonly #hooks: RoomHooks;
  readonly #maxPeers: number;
  readonly #peers = new Map<string, Peer>();
  readonly #owners = new Map<string, Peer>();
  #unjoinedTimer: NodeJS.Timeout | undefined;
  #closed = false;

  private constructor(id: string, epoch: number, router: types.Router, on: PooledWorker, options: RoomOptions) {
    this.id = id;
    this.epoch = epoch;
    this.workerPid = on.worker.pid;
    this.#router = router;
    this.#webRtcServer = on.webRtcServer;
    this.#hooks = options.hooks;
    this.#maxPeers = options.maxPeers;
    this.#unjoinedTimer = setTimeout(() => this.close('unjoined'), options.unjoinedMs);
    this.#unjoinedTimer.unref();
    router.on('workerclose', () => this.close('worker'));
  }

  static async create(id: string, epoch: number, on: PooledWorker, options: RoomOptions): Promise<Room> {
    const router = await on.worker.createRouter({ mediaCodecs });
    return new Room(id, epoch, router, on, options);
  }

  get closed(): boolean {
    return this.#closed;
  }

  get rtpCapabilities(): types.RtpCapabilities {
    return this.#router.rtpCapabilities;
  }

  get peers(): Peer[] {
    return [...this.#peers.values()];
  }

  /**
   * Lets a peer in and tells the others. A peer of the same id is replaced: its producers end at once.
   *
   * @throws RequestError 503 when the room is full, 409 when it just closed.
   */
  join(peerId: string, appData: Record<string, unknown>, notify: Notify): Peer {
    if (this.#closed) throw new RequestError(409, 'the room has just closed, join again');
    const former = this.#peers.get(peerId);
    if (!former && this.#peers.size >= this.#maxPeers)
      throw new RequestError(503, `the room is full: it takes ${this.#maxPeers} peers`);
    clearTimeout(this.#unjoinedTimer);
    const peer = new Peer(peerId, appData, this, notify);
    this.#peers.set(peerId, peer);
    if (former) {
      former.notify('error', { code: 409, reason: 'the same peer has connected anew' });
      this.#tellOthers(peer, (other) => other.notify('peerLeft', { peerId }));
      former.close();
      this.#hooks.peerRemoved(this, former, false);
    }
    this.#tellOthers(peer, (other) => other.notify('peerJoined', { peerId, appData }));
    return peer;
  }

  /** Lets a peer go. The last one's going closes the room. */
  leave(peer: Peer): void {
    peer.close();
    if (this.#peers.get(peer.id) !== peer) return;
    this.#peers.delete(peer.id);
    this.#tellOthers(peer, (other) => other.notify('peerLeft', { peerId: peer.id }));
    if (this.#peers.size === 0) this.close('empty');
  }

  /** Closes the room that was made for a peer which never came. */
  closeIfUnused(): void {
    if (this.#peers.size === 0) this.close('unjoined');
  }

  /**
   * Lets a peer hear of the others from now on, beginning with the producers that were there before it. Called when the
   * answer to its `joinRoom`, which lists the peers, is made: so nothing is told twice and nothing is missed.
   */
  announceTo(peer: Peer): void {
    peer.hears = true;
    for (const [producerId, owner] of this.#owners) {
      const producer = owner.producers.get(producerId);
      if (owner !== peer && producer) peer.notify('newProducer', describeProducer(owner, producer));
    }
  }

  /**
   * Closes the room: each peer is told and put out, then the router ends. After the death of a worker, the end of a
   * whole daemon or a fencing the peers are asked to come back; otherwise they are told that the room is closed.
   */
  close(end: RoomEnd, reason: string = end): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#unjoinedTimer);
    const moved = end === 'worker' || end === 'fenced' || end === 'shutdown';
    for (const peer of this.#peers.values()) {
      if (moved) peer.notify('reconnect', { reason: end === 'shutdown' ? 'drain' : end, deadlineMs: 0 });
      else peer.notify('roomClosed', { reason });
      peer.close();
      this.#hooks.peerRemoved(this, peer, moved);
    }
    this.#peers.clear();
    this.#owners.clear();
    this.#router.close();
    this.#hooks.closed(this, end);
  }

  createTransport(options: TransportOptions): Promise<types.WebRtcTransport> {
    return this.#router.createWebRtcTransport({ ...options, webRtcServer: this.#webRtcServer });
  }

  canConsume(producerId: string, rtpCapabilities: types.RtpCapabilities): boolean {
    return this.#router.canConsume({ producerId, rtpCapabilities });
  }

  ownerOf(producerId: string): Peer | undefined {
    return this.#owners.get(producerId);
  }

  producerOpened(owner: Peer, producer: types.Producer): void {
    this.#owners.set(producer.id, owner);
    this.#tellOthers(owner, (other) => other.notify('newProducer', describeProducer(owner, producer)));
  }

  producerClosed(owner: Peer, producer: types.Producer): void {
    this.#owners.delete(producer.id);
    this.#tellOthers(owner, (other) => other.notify('producerClosed', { producerId: producer.id, peerId: owner.id }));
  }

  #tellOthers(than: Peer, tell: (other: Peer) => void): void {
    if (this.#closed) return;
    for (const peer of this.#peers.values()) if (peer.hears && peer.id !== than.id) tell(peer);
  }
}

/** What a peer chooses of its transport. */
type TransportOptions = Pick<
  types.WebRtcTransportOptions,
  'enableUdp' | 'enableTcp' | 'preferUdp' | 'initialAvailableOutgoingBitrate'
>;

export type RoomOptions = {
  readonly hooks: RoomHooks;
  readonly maxPeers: number;
  /** Milliseconds after which the room closes when nobody joined. */
  readonly unjoinedMs: number;
};

const describeProducer = (owner: Peer, producer: types.Producer) => ({
  producerId: producer.id,
  kind: producer.kind,
  peerId: owner.id,
  appData: producer.appData,
  paused: producer.paused,
});
