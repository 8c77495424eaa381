import type { types } from 'mediasoup';
import { RequestError } from '../errors.ts';
import { type Joining, Peer } from '../peers/Peer.ts';
import type { RoomRouter } from '../routers/RoomRouter.ts';
import { RouterMesh } from '../routers/RouterMesh.ts';
import { Speakers } from '../speakers/Speakers.ts';
import type { Level } from '../speakers/Voices.ts';
import type { WorkerPool } from '../workers/WorkerPool.ts';
import { AnnouncementRates } from './AnnouncementRates.ts';
import { MessageLog } from './MessageLog.ts';
import { Mutes } from './Mutes.ts';
import { PeerBuckets } from './PeerBuckets.ts';
import type { RoomContext } from './RoomContext.ts';
import type { Leave, MoveReason, PeerLevel, RoomEnd, RoomEvent, RoomView } from './RoomEvent.ts';
import type { RoomLimits } from './RoomLimits.ts';
import { RoomProducers } from './RoomProducers.ts';

export type RoomOptions = {
  readonly limits: RoomLimits;
  /** Milliseconds after which the room closes when nobody joined. */
  readonly unjoinedMs: number;
  readonly onEvent: (room: Room, event: RoomEvent) => void;
};

/** Why the peers were asked to move, and until when they have time, on the clock of `performance`. */
type Move = { readonly reason: MoveReason; readonly until: number };

type RoomState =
  | { readonly kind: 'serving'; readonly move: Move | undefined }
  /** Another daemon serves it; its peers have yet to move. */
  | { readonly kind: 'handedOff'; readonly move: Move | undefined }
  | { readonly kind: 'closed'; readonly wasHandedOff: boolean };

/** A room on this daemon: the peers, on one or more routers. It is removed when the last peer leaves. */
export class Room implements RoomContext {
  readonly id: string;
  readonly createdAt = new Date();
  readonly limits: RoomLimits;
  readonly mesh: RouterMesh;
  readonly producers = new RoomProducers();
  readonly mutes = new Mutes();
  readonly announcements: AnnouncementRates;
  readonly messageLog = new MessageLog();
  readonly messageBytes: PeerBuckets;
  /** The version of the room's record at the control plane; 0 while it has none. */
  epoch: number;
  readonly #onEvent: RoomOptions['onEvent'];
  readonly #peers = new Map<string, Peer>();
  readonly #speakers = new Speakers({
    levels: (levels) => this.emit({ kind: 'audioLevelsChanged', levels: this.#levelsOfPeers(levels) }),
    active: (producer) => this.emit({ kind: 'activeSpeakerChanged', peerId: this.#speakerOf(producer) }),
  });
  #unjoinedTimer: NodeJS.Timeout | undefined;
  #state: RoomState = { kind: 'serving', move: undefined };

  private constructor(id: string, epoch: number, pool: WorkerPool, options: RoomOptions) {
    this.id = id;
    this.epoch = epoch;
    this.limits = options.limits;
    this.announcements = new AnnouncementRates(options.limits);
    const { messageBytesPerSecond: perSecond, messageBytesBurst: burst } = options.limits;
    this.messageBytes = new PeerBuckets({ perSecond, burst });
    this.#onEvent = options.onEvent;
    this.mesh = new RouterMesh(pool, this.#speakers, (router) => this.#routerDied(router));
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
    return this.#state.kind === 'closed' || this.mesh.closed;
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

  get(peerId: string): Peer | undefined {
    return this.#peers.get(peerId);
  }

  /** The peers other than this one. */
  othersThan(peer: Peer): Peer[] {
    return this.peers.filter((other) => other !== peer);
  }

  emit(event: RoomEvent): void {
    this.#onEvent(this, event);
  }

  deliverMessages(): void {
    for (const peer of this.#peers.values()) peer.messages.deliver();
  }

  /**
   * Lets a peer in. A peer of the same id is replaced: its producers close at once.
   *
   * @throws RequestError 503 when the room is full, 409 when it just closed, 429 when the peer joins too often.
   */
  join(joining: Joining): Peer {
    if (this.closed || this.isHandedOff) throw new RequestError('ROOM_CLOSED', 'the room has just closed, join again');
    const { peerId } = joining;
    const former = this.#peers.get(peerId);
    if (!former && this.#peers.size >= this.limits.maxRoomPeers)
      throw new RequestError('ROOM_FULL', `the room takes ${this.limits.maxRoomPeers} peers`, {
        limit: 'roomPeers',
      });
    this.announcements.announce(peerId, joining.appData);
    clearTimeout(this.#unjoinedTimer);
    const peer = new Peer(joining, this, this.mesh.chooseRouter());
    this.#peers.set(peerId, peer);
    if (former) {
      former.close();
      this.emit({ kind: 'peerLeft', peer: former, leave: { kind: 'replaced' } });
    }
    this.emit({ kind: 'peerJoined', peer });
    return peer;
  }

  /** Removes a peer on a backend's behalf. */
  kick(peer: Peer, reason: string): void {
    this.leave(peer, { kind: 'kicked', reason });
  }

  /** Removes a peer. The room closes when it was the last. */
  leave(peer: Peer, leave: Leave): void {
    peer.close();
    if (this.#peers.get(peer.id) !== peer) return;
    this.#peers.delete(peer.id);
    this.emit({ kind: 'peerLeft', peer, leave });
    if (this.#peers.size === 0) this.close(this.#move ? 'moved' : 'empty');
  }

  /** Closes a room whose only peer did not come in the end. */
  closeIfUnused(): void {
    if (this.#peers.size === 0) this.close('unjoined');
  }

  /**
   * Notifies a peer of the others from now on, beginning with what was there before it. Called after the answer to its
   * `joinRoom`, which lists the peers, so that it hears everything exactly once.
   */
  announceTo(peer: Peer): void {
    peer.announced = true;
    this.emit({ kind: 'peerReady', peer, view: this.viewOf(peer) });
    peer.messages.deliver();
  }

  /** What a peer sees of the others. */
  viewOf(peer: Peer): RoomView {
    return {
      ...this.producers.of(this.othersThan(peer).map(({ id }) => id)),
      activeSpeaker: this.#speakerOf(this.#speakers.active),
      audioLevels: this.#levelsOfPeers(this.#speakers.levels),
    };
  }

  /**
   * Asks every peer to get a new assignment and to move there.
   *
   * @param deadlineMs milliseconds that they have.
   */
  askToMove(reason: MoveReason, deadlineMs: number): void {
    if (this.#state.kind === 'closed') return;
    this.#state = { kind: this.#state.kind, move: { reason, until: performance.now() + deadlineMs } };
    this.#requestMove(this.peers);
  }

  /** Asks a peer again: it may have missed the request while its socket was lost. Does nothing when none was made. */
  remindToMove(peer: Peer): void {
    this.#requestMove([peer]);
  }

  /** Whether another daemon serves the room. It lets nobody in; only its peers still see it. */
  get isHandedOff(): boolean {
    return this.#state.kind === 'handedOff' || (this.#state.kind === 'closed' && this.#state.wasHandedOff);
  }

  /** Lets nobody in from now on. Backends see the room end here. */
  handOff(end: RoomEnd): void {
    this.emit({ kind: 'roomHandedOff', end, peerIds: [...this.#peers.keys()] });
    this.#state = { kind: 'handedOff', move: this.#move };
  }

  /** Closes the room: every peer leaves, then the routers close. */
  close(end: RoomEnd, reason: string = end): void {
    if (this.#state.kind === 'closed') return;
    this.#state = { kind: 'closed', wasHandedOff: this.isHandedOff };
    clearTimeout(this.#unjoinedTimer);
    for (const peer of this.#peers.values()) {
      peer.close();
      this.emit({ kind: 'peerLeft', peer, leave: { kind: 'roomClosed', end, reason } });
    }
    this.#peers.clear();
    this.producers.clear();
    this.mesh.close();
    this.emit({ kind: 'roomClosed', end });
  }

  /** The peers of the router's worker have to join again; when there are no others the room closes. */
  #routerDied(router: RoomRouter): void {
    const lost = this.peers.filter((peer) => peer.router === router);
    if (this.closed || lost.length === this.#peers.size) this.close('worker');
    else for (const peer of lost) this.leave(peer, { kind: 'workerDied' });
  }

  get #move(): Move | undefined {
    return this.#state.kind === 'closed' ? undefined : this.#state.move;
  }

  #requestMove(peers: readonly Peer[]): void {
    const move = this.#move;
    if (!move) return;
    const { reason, until } = move;
    const deadlineMs = Math.max(0, Math.round(until - performance.now()));
    this.emit({ kind: 'moveRequested', peerIds: peers.map(({ id }) => id), reason, deadlineMs });
  }

  /** Each peer once, with the volume of its loudest producer. */
  #levelsOfPeers(levels: readonly Level[]): PeerLevel[] {
    const loudest = new Map<string, number>();
    for (const { producer, volume } of levels) {
      const peerId = this.producers.find(producer.id)?.peerId;
      if (peerId !== undefined && !loudest.has(peerId)) loudest.set(peerId, volume);
    }
    return [...loudest].map(([peerId, volume]) => ({ peerId, volume }));
  }

  #speakerOf(producer: types.Producer | undefined): string | null {
    return (producer && this.producers.find(producer.id)?.peerId) ?? null;
  }
}
