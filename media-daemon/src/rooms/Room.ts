import { LeaveReason } from '@mediasoup-server/proto/daemon';
import type { NotificationData, Snapshot } from '@mediasoup-server/proto/signaling';
import type { types } from 'mediasoup';
import { RequestError } from '../errors.ts';
import { mediaCodecs } from '../workers/codecs.ts';
import type { PooledWorker } from '../workers/WorkerPool.ts';
import type { Happening } from './Happening.ts';
import { type Joining, Peer } from './Peer.ts';
import { type Level, Speakers } from './Speakers.ts';

/** Why a room ended. */
export type RoomEnd = 'empty' | 'unjoined' | 'command' | 'worker' | 'fenced' | 'shutdown' | 'moved';

/** Why peers are asked to move: this daemon is being drained, or it was taken for dead and the room opened elsewhere. */
export type MoveReason = 'drain' | 'fenced';

/** What a room's surroundings do when something happens to it. */
export type RoomHooks = {
  readonly closed: (room: Room, end: RoomEnd) => void;
  /** The peer was put out; its client's connection ends now. `comeBack` says whether it should connect again. */
  readonly peerRemoved: (room: Room, peer: Peer, comeBack: boolean) => void;
  readonly happened: (room: Room, happening: Happening) => void;
};

/** The most that a room and each of its peers has. */
export type RoomLimits = {
  readonly maxRoomPeers: number;
  readonly maxPeerProducers: number;
  readonly maxPeerConsumers: number;
  readonly maxPeerDataProducers: number;
  readonly maxPeerDataConsumers: number;
  /** Bits a second that each peer is asked to send at most. */
  readonly maxPeerIncomingBitrate: number;
};

export type RoomOptions = {
  readonly hooks: RoomHooks;
  readonly limits: RoomLimits;
  /** Milliseconds after which the room closes when nobody joined. */
  readonly unjoinedMs: number;
};

/** A room on this daemon: a router and the peers on it. It is removed when the last peer leaves. */
export class Room {
  readonly id: string;
  readonly createdAt = new Date();
  readonly limits: RoomLimits;
  /** The version of the room's record at the control plane; 0 while it has none. */
  epoch: number;
  readonly #router: types.Router;
  readonly #worker: types.Worker;
  readonly #webRtcServer: types.WebRtcServer;
  readonly #hooks: RoomHooks;
  readonly #peers = new Map<string, Peer>();
  readonly #owners = new Map<string, Peer>();
  readonly #dataOwners = new Map<string, Peer>();
  #speakers: Speakers | undefined;
  #unjoinedTimer: NodeJS.Timeout | undefined;
  /** Why the peers were asked to move, and until when they have time, on the clock of `performance`. */
  #move: { readonly reason: MoveReason; readonly until: number } | undefined;
  #letGo = false;
  #closed = false;

  private constructor(id: string, epoch: number, router: types.Router, on: PooledWorker, options: RoomOptions) {
    this.id = id;
    this.epoch = epoch;
    this.limits = options.limits;
    this.#router = router;
    this.#worker = on.worker;
    this.#webRtcServer = on.webRtcServer;
    this.#hooks = options.hooks;
    this.#unjoinedTimer = setTimeout(() => this.close('unjoined'), options.unjoinedMs);
    this.#unjoinedTimer.unref();
    router.on('workerclose', () => this.close('worker'));
  }

  static async create(id: string, epoch: number, on: PooledWorker, options: RoomOptions): Promise<Room> {
    const router = await on.worker.createRouter({ mediaCodecs });
    const room = new Room(id, epoch, router, on, options);
    room.#speakers = await Speakers.create(router, {
      levels: (levels) => room.#tellLevels(levels),
      active: (producer) => room.#tellActiveSpeaker(producer),
    });
    return room;
  }

  /** A worker's death closes what is in the room before the room itself: nobody need hear of each thing. */
  get closed(): boolean {
    return this.#closed || this.#worker.closed;
  }

  get workerPid(): number {
    return this.#worker.pid;
  }

  get rtpCapabilities(): types.RtpCapabilities {
    return this.#router.rtpCapabilities;
  }

  get peers(): Peer[] {
    return [...this.#peers.values()];
  }

  get peerCount(): number {
    return this.#peers.size;
  }

  has(peerId: string): boolean {
    return this.#peers.has(peerId);
  }

  /** The peers other than this one. */
  othersThan(peer: Peer): Peer[] {
    return this.peers.filter((other) => other !== peer);
  }

  /**
   * Lets a peer in and tells the others. A peer of the same id is replaced: its producers end at once.
   *
   * @throws RequestError 503 when the room is full, 409 when it just closed.
   */
  join(joining: Joining): Peer {
    if (this.closed || this.#letGo) throw new RequestError(409, 'the room has just closed, join again');
    const { peerId } = joining;
    const former = this.#peers.get(peerId);
    if (!former && this.#peers.size >= this.limits.maxRoomPeers)
      throw new RequestError(503, `the room is full: it takes ${this.limits.maxRoomPeers} peers`, {
        limit: 'roomPeers',
      });
    clearTimeout(this.#unjoinedTimer);
    const peer = new Peer(joining, this);
    this.#peers.set(peerId, peer);
    if (former) {
      former.notify('error', { code: 409, reason: 'the same peer has connected anew' });
      former.close();
      this.#tellOthers(peer, (other) => other.notify('peerLeft', { peerId }));
      this.happened({ case: 'peerLeft', value: { peerId, reason: LeaveReason.REPLACED } });
      this.#hooks.peerRemoved(this, former, false);
    }
    this.happened({ case: 'peerJoined', value: { peerId, appDataJson: JSON.stringify(peer.appData) } });
    this.#tellOthers(peer, (other) => other.notify('peerJoined', { peerId, appData: peer.appData }));
    return peer;
  }

  get(peerId: string): Peer | undefined {
    return this.#peers.get(peerId);
  }

  /** Puts a peer out for good, after telling it why. */
  remove(peer: Peer, reason: string): void {
    peer.notify('error', { code: 403, reason });
    this.#hooks.peerRemoved(this, peer, false);
    this.leave(peer, LeaveReason.REMOVED);
  }

  /** Lets a peer go. The last one's going closes the room. */
  leave(peer: Peer, reason: LeaveReason): void {
    peer.close();
    if (this.#peers.get(peer.id) !== peer) return;
    this.#peers.delete(peer.id);
    this.happened({ case: 'peerLeft', value: { peerId: peer.id, reason } });
    this.#tellOthers(peer, (other) => other.notify('peerLeft', { peerId: peer.id }));
    if (this.#peers.size === 0) this.close(this.#move ? 'moved' : 'empty');
  }

  /** Closes the room that was made for a peer which never came. */
  closeIfUnused(): void {
    if (this.#peers.size === 0) this.close('unjoined');
  }

  /**
   * Lets a peer hear of the others from now on, beginning with what was there before it. Called when the answer to its
   * `joinRoom`, which lists the peers, has been sent: so nothing is told twice and nothing is missed.
   */
  announceTo(peer: Peer): void {
    peer.hears = true;
    const { producers, dataProducers, activeSpeaker } = this.snapshotFor(peer);
    for (const producer of producers) peer.notify('newProducer', producer);
    for (const dataProducer of dataProducers) peer.notify('newDataProducer', dataProducer);
    if (activeSpeaker !== null) peer.notify('activeSpeaker', { peerId: activeSpeaker });
  }

  /** What a peer sees of the others. */
  snapshotFor(peer: Peer): Pick<Snapshot, 'producers' | 'dataProducers' | 'activeSpeaker'> {
    const others = this.othersThan(peer);
    return {
      producers: others.flatMap((owner) =>
        [...owner.publications.producers]
          .filter(({ id }) => this.#owners.has(id))
          .map((producer) => describeProducer(owner, producer)),
      ),
      dataProducers: others.flatMap((owner) =>
        [...owner.publications.dataProducers].map((producer) => describeDataProducer(owner, producer)),
      ),
      activeSpeaker: this.#speaker(this.#speakers?.active).peerId,
    };
  }

  /**
   * Asks every peer to ask for a new assignment and to move there.
   *
   * @param deadlineMs milliseconds that they have.
   */
  askToMove(reason: MoveReason, deadlineMs: number): void {
    this.#move = { reason, until: performance.now() + deadlineMs };
    for (const peer of this.#peers.values()) this.remindToMove(peer);
  }

  /** Asks a peer again, as one whose socket was lost may have missed it. Says nothing where nobody was asked. */
  remindToMove(peer: Peer): void {
    if (!this.#move) return;
    const { reason, until } = this.#move;
    peer.notify('reconnect', { reason, deadlineMs: Math.max(0, Math.round(until - performance.now())) });
  }

  /** Whether the room lives elsewhere: it lets nobody in, and what is left of it is its peers' affair alone. */
  get isLetGo(): boolean {
    return this.#letGo;
  }

  /** Lets nobody in from now on. To whoever watches from outside the room ends here. */
  letGo(): void {
    for (const { id: peerId } of this.peers)
      this.happened({ case: 'peerLeft', value: { peerId, reason: LeaveReason.ROOM_CLOSED } });
    this.#letGo = true;
  }

  /**
   * Closes the room: each peer is told and put out, then the router ends. After the death of a worker, the end of a
   * whole daemon, a move or a fencing the peers are asked to come back; otherwise they are told that the room is closed.
   */
  close(end: RoomEnd, reason: string = end): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#unjoinedTimer);
    const comeBack = reconnectReasons[end];
    for (const peer of this.#peers.values()) {
      if (comeBack) peer.notify('reconnect', { reason: comeBack, deadlineMs: 0 });
      else peer.notify('roomClosed', { reason });
      peer.close();
      this.happened({ case: 'peerLeft', value: { peerId: peer.id, reason: LeaveReason.ROOM_CLOSED } });
      this.#hooks.peerRemoved(this, peer, comeBack !== undefined);
    }
    this.#peers.clear();
    this.#owners.clear();
    this.#dataOwners.clear();
    this.#router.close();
    this.#hooks.closed(this, end);
  }

  /** Tells whoever watches the room from outside, as long as it lives here. */
  happened(happening: Happening): void {
    if (!this.#letGo) this.#hooks.happened(this, happening);
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

  dataOwnerOf(dataProducerId: string): Peer | undefined {
    return this.#dataOwners.get(dataProducerId);
  }

  peerUpdated(peer: Peer): void {
    const { id: peerId, appData } = peer;
    this.#tellOthers(peer, (other) => other.notify('peerUpdated', { peerId, appData }));
    this.happened({ case: 'peerUpdated', value: { peerId, appDataJson: JSON.stringify(appData) } });
  }

  async producerOpened(owner: Peer, producer: types.Producer): Promise<void> {
    if (producer.kind === 'audio') await this.#speakers?.add(producer);
    if (producer.closed) throw new RequestError(404, 'it is closed already');
    this.#owners.set(producer.id, owner);
    this.#tellOthers(owner, (other) => other.notify('newProducer', describeProducer(owner, producer)));
    const { id: producerId, kind, paused, appData } = producer;
    const appDataJson = JSON.stringify(appData);
    this.happened({
      case: 'producerOpened',
      value: { peerId: owner.id, producer: { producerId, kind, paused, appDataJson } },
    });
  }

  producerClosed(owner: Peer, { id: producerId }: types.Producer): void {
    if (!this.#owners.delete(producerId)) return;
    this.#tellOthers(owner, (other) => other.notify('producerClosed', { producerId, peerId: owner.id }));
    this.happened({ case: 'producerClosed', value: { producerId, peerId: owner.id } });
  }

  dataProducerOpened(owner: Peer, producer: types.DataProducer): void {
    this.#dataOwners.set(producer.id, owner);
    this.#tellOthers(owner, (other) => other.notify('newDataProducer', describeDataProducer(owner, producer)));
  }

  dataProducerClosed(owner: Peer, { id: dataProducerId }: types.DataProducer): void {
    this.#dataOwners.delete(dataProducerId);
    this.#tellOthers(owner, (other) => other.notify('dataProducerClosed', { dataProducerId, peerId: owner.id }));
  }

  #tellActiveSpeaker(producer: types.Producer | undefined): void {
    const speaker = this.#speaker(producer);
    this.#tellAll((peer) => peer.notify('activeSpeaker', speaker));
    this.happened({ case: 'activeSpeaker', value: { peerId: speaker.peerId ?? '' } });
  }

  #tellLevels(levels: readonly Level[]): void {
    const told: NotificationData<'audioLevels'>['levels'] = [];
    for (const { producer, volume } of levels) {
      const owner = this.#owners.get(producer.id);
      if (owner && !told.some(({ peerId }) => peerId === owner.id)) told.push({ peerId: owner.id, volume });
    }
    this.#tellAll((peer) => peer.notify('audioLevels', { levels: told }));
  }

  #speaker(producer: types.Producer | undefined): NotificationData<'activeSpeaker'> {
    return { peerId: (producer && this.#owners.get(producer.id)?.id) ?? null };
  }

  #tellAll(tell: (peer: Peer) => void): void {
    if (this.closed) return;
    for (const peer of this.#peers.values()) if (peer.hears) tell(peer);
  }

  #tellOthers(than: Peer, tell: (other: Peer) => void): void {
    this.#tellAll((peer) => {
      if (peer.id !== than.id) tell(peer);
    });
  }
}

/** Why peers are asked to come back, by how the room ended; after the other ends they are not. */
const reconnectReasons: Partial<Record<RoomEnd, NotificationData<'reconnect'>['reason']>> = {
  worker: 'worker',
  fenced: 'fenced',
  shutdown: 'drain',
  moved: 'drain',
};

/** What a peer chooses of its transport. */
type TransportOptions = Pick<
  types.WebRtcTransportOptions,
  'enableUdp' | 'enableTcp' | 'preferUdp' | 'enableSctp' | 'initialAvailableOutgoingBitrate'
>;

const describeProducer = (owner: Peer, producer: types.Producer) => ({
  producerId: producer.id,
  kind: producer.kind,
  peerId: owner.id,
  appData: producer.appData,
  paused: producer.paused,
});

const describeDataProducer = (owner: Peer, producer: types.DataProducer) => ({
  dataProducerId: producer.id,
  peerId: owner.id,
  label: producer.label,
  protocol: producer.protocol,
  appData: producer.appData,
});
