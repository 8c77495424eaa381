import { LeaveReason } from '@mediasoup-server/proto/daemon';
import { ROOM_FULL } from '@mediasoup-server/proto/protoo';
import type { Notification, NotificationData, Snapshot } from '@mediasoup-server/proto/signaling';
import type { types } from 'mediasoup';
import { RequestError } from '../errors.ts';
import { type Joining, Peer } from '../peers/Peer.ts';
import type { RoomRouter } from '../routers/RoomRouter.ts';
import { RouterMesh } from '../routers/RouterMesh.ts';
import { Speakers } from '../speakers/Speakers.ts';
import type { Level } from '../speakers/Voices.ts';
import type { WorkerPool } from '../workers/WorkerPool.ts';
import { type AnnouncementLimits, Announcements } from './Announcements.ts';
import type { Happening } from './Happening.ts';
import { MessageLog } from './MessageLog.ts';
import { Mutes } from './Mutes.ts';
import { RoomProducers } from './RoomProducers.ts';

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
export type RoomLimits = AnnouncementLimits & {
  readonly maxRoomPeers: number;
  readonly maxPeerProducers: number;
  readonly maxPeerConsumers: number;
  readonly maxPeerDataProducers: number;
  readonly maxPeerDataConsumers: number;
  /** Bits a second that each peer is asked to send at most. */
  readonly maxPeerIncomingBitrate: number;
  /** Bytes of messages that a peer may send a second, and at once. */
  readonly messageBytesPerSecond: number;
  readonly messageBytesBurst: number;
};

export type RoomOptions = {
  readonly hooks: RoomHooks;
  readonly limits: RoomLimits;
  /** Milliseconds after which the room closes when nobody joined. */
  readonly unjoinedMs: number;
};

/** A room on this daemon: the peers, on one or more routers. It is removed when the last peer leaves. */
export class Room {
  readonly id: string;
  readonly createdAt = new Date();
  readonly limits: RoomLimits;
  readonly mesh: RouterMesh;
  readonly producers = new RoomProducers(this);
  readonly mutes = new Mutes();
  readonly announcements: Announcements;
  readonly messageLog = new MessageLog();
  /** The version of the room's record at the control plane; 0 while it has none. */
  epoch: number;
  readonly #hooks: RoomHooks;
  readonly #peers = new Map<string, Peer>();
  readonly #speakers = new Speakers({
    levels: (levels) => this.#tellAll('audioLevels', { levels: this.#audioLevels(levels) }),
    active: (producer) => this.#tellActiveSpeaker(producer),
  });
  #unjoinedTimer: NodeJS.Timeout | undefined;
  /** Why the peers were asked to move, and until when they have time, on the clock of `performance`. */
  #move: { readonly reason: MoveReason; readonly until: number } | undefined;
  #handedOff = false;
  #closed = false;

  private constructor(id: string, epoch: number, pool: WorkerPool, options: RoomOptions) {
    this.id = id;
    this.epoch = epoch;
    this.limits = options.limits;
    this.announcements = new Announcements(options.limits);
    this.#hooks = options.hooks;
    this.mesh = new RouterMesh(pool, this.#speakers, (router) => this.#lost(router));
  }

  /** @throws RequestError 503 when no worker runs. */
  static async create(id: string, epoch: number, pool: WorkerPool, options: RoomOptions): Promise<Room> {
    const room = new Room(id, epoch, pool, options);
    await room.mesh.open();
    room.#unjoinedTimer = setTimeout(() => room.close('unjoined'), options.unjoinedMs);
    room.#unjoinedTimer.unref();
    return room;
  }

  /** The death of its only worker closes what is in the room before the room itself. */
  get closed(): boolean {
    return this.#closed || this.mesh.closed;
  }

  get rtpCapabilities(): types.RtpCapabilities {
    return this.mesh.rtpCapabilities;
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
   * @throws RequestError 503 when the room is full, 409 when it just closed, 429 when the peer joins too often.
   */
  join(joining: Joining): Peer {
    if (this.closed || this.#handedOff) throw new RequestError(409, 'the room has just closed, join again');
    const { peerId } = joining;
    const former = this.#peers.get(peerId);
    if (!former && this.#peers.size >= this.limits.maxRoomPeers)
      throw new RequestError(503, `${ROOM_FULL}: it takes ${this.limits.maxRoomPeers} peers`, {
        limit: 'roomPeers',
      });
    this.announcements.announce(peerId, joining.appData);
    clearTimeout(this.#unjoinedTimer);
    const peer = new Peer(joining, this, this.mesh.chooseRouter());
    this.#peers.set(peerId, peer);
    if (former) {
      former.notify('error', { code: 409, reason: 'the same peer has connected anew' });
      former.close();
      this.tellOthers(peer, 'peerLeft', { peerId });
      this.happened({ case: 'peerLeft', value: { peerId, reason: LeaveReason.REPLACED } });
      this.#hooks.peerRemoved(this, former, false);
    }
    this.happened({ case: 'peerJoined', value: { peerId, appDataJson: JSON.stringify(peer.appData) } });
    this.tellOthers(peer, 'peerJoined', { peerId, appData: peer.appData });
    return peer;
  }

  get(peerId: string): Peer | undefined {
    return this.#peers.get(peerId);
  }

  /** Puts a peer out for good, after telling it why. */
  kick(peer: Peer, reason: string): void {
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
    this.tellOthers(peer, 'peerLeft', { peerId: peer.id });
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
    peer.announced = true;
    const { producers, dataProducers, activeSpeaker, audioLevels } = this.snapshotFor(peer);
    for (const producer of producers) peer.notify('newProducer', producer);
    for (const dataProducer of dataProducers) peer.notify('newDataProducer', dataProducer);
    if (activeSpeaker !== null) peer.notify('activeSpeaker', { peerId: activeSpeaker });
    if (audioLevels.length > 0) peer.notify('audioLevels', { levels: audioLevels });
    peer.messages.deliver();
  }

  /** What a peer sees of the others. */
  snapshotFor(peer: Peer): Pick<Snapshot, 'producers' | 'dataProducers' | 'activeSpeaker' | 'audioLevels'> {
    return {
      ...this.producers.of(this.othersThan(peer)),
      activeSpeaker: this.#speaker(this.#speakers.active).peerId,
      audioLevels: this.#audioLevels(this.#speakers.levels),
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
  get isHandedOff(): boolean {
    return this.#handedOff;
  }

  /** Lets nobody in from now on. To whoever watches from outside the room ends here. */
  handOff(): void {
    for (const { id: peerId } of this.peers)
      this.happened({ case: 'peerLeft', value: { peerId, reason: LeaveReason.ROOM_CLOSED } });
    this.#handedOff = true;
  }

  /**
   * Closes the room: each peer is told and put out, then the routers end. After the death of a worker, the end of a
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
    this.producers.clear();
    this.mesh.close();
    this.#hooks.closed(this, end);
  }

  /** Tells whoever watches the room from outside, as long as it lives here. */
  happened(happening: Happening): void {
    if (!this.#handedOff) this.#hooks.happened(this, happening);
  }

  peerUpdated(peer: Peer): void {
    const { id: peerId, appData } = peer;
    this.tellOthers(peer, 'peerUpdated', { peerId, appData });
    this.happened({ case: 'peerUpdated', value: { peerId, appDataJson: JSON.stringify(appData) } });
  }

  /** Tells something to everybody who has joined but this one. */
  tellOthers<N extends Notification>(than: Peer, method: N, data: NotificationData<N>): void {
    this.#tellAll(method, data, than.id);
  }

  /** One of the room's workers died. Its peers are asked to come back; where nobody else is, the room ends with it. */
  #lost(router: RoomRouter): void {
    if (this.closed || this.peers.every((peer) => peer.router === router)) {
      this.close('worker');
      return;
    }
    for (const peer of router.peers) {
      peer.notify('reconnect', { reason: 'worker', deadlineMs: 0 });
      this.#hooks.peerRemoved(this, peer, true);
      this.leave(peer, LeaveReason.WORKER);
    }
  }

  #tellActiveSpeaker(producer: types.Producer | undefined): void {
    const speaker = this.#speaker(producer);
    this.#tellAll('activeSpeaker', speaker);
    this.happened({ case: 'activeSpeaker', value: { peerId: speaker.peerId ?? '' } });
  }

  #audioLevels(levels: readonly Level[]): Snapshot['audioLevels'] {
    const told: Snapshot['audioLevels'] = [];
    for (const { producer, volume } of levels) {
      const owner = this.producers.ownerOf(producer.id);
      if (owner && !told.some(({ peerId }) => peerId === owner.id)) told.push({ peerId: owner.id, volume });
    }
    return told;
  }

  #speaker(producer: types.Producer | undefined): NotificationData<'activeSpeaker'> {
    return { peerId: (producer && this.producers.ownerOf(producer.id)?.id) ?? null };
  }

  #tellAll<N extends Notification>(method: N, data: NotificationData<N>, except?: string): void {
    if (this.closed) return;
    for (const { id, announced, router, notify } of this.#peers.values())
      if (announced && !router.closed && id !== except) notify(method, data);
  }
}

/** Why peers are asked to come back, by how the room ended; after the other ends they are not. */
const reconnectReasons: Partial<Record<RoomEnd, NotificationData<'reconnect'>['reason']>> = {
  worker: 'worker',
  fenced: 'fenced',
  shutdown: 'drain',
  moved: 'drain',
};
