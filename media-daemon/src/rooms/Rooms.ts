import type { Logger } from '@mediasoup-server/server-kit/logger';
import { RequestError } from '../errors.ts';
import type { Peer } from '../peers/Peer.ts';
import type { WorkerPool } from '../workers/WorkerPool.ts';
import { Kicks } from './Kicks.ts';
import { Room, type RoomOptions } from './Room.ts';
import type { MoveReason, RoomEnd, RoomEvent } from './RoomEvent.ts';

/** Called for every event of every room. */
export type RoomsListener = (room: Room, event: RoomEvent) => void;

export type RoomsOptions = Omit<RoomOptions, 'onEvent'> & {
  /** Milliseconds that the peers of a room which another daemon serves have to move there. */
  readonly moveDeadlineMs: number;
};

/** The rooms of this daemon. */
export class Rooms {
  readonly #rooms = new Map<string, Room>();
  /** Rooms that other daemons serve, until their peers have moved, each with the timer of its deadline. */
  readonly #handedOff = new Map<Room, NodeJS.Timeout>();
  readonly #making = new Map<string, Promise<Room>>();
  readonly #listeners = new Set<RoomsListener>();
  readonly #pool: WorkerPool;
  readonly #options: RoomsOptions;
  readonly #logger: Logger;
  readonly #kicks = new Kicks();
  #draining = false;

  constructor(pool: WorkerPool, options: RoomsOptions, logger: Logger) {
    this.#pool = pool;
    this.#options = options;
    this.#logger = logger;
  }

  listen(listener: RoomsListener): void {
    this.#listeners.add(listener);
  }

  get(roomId: string): Room | undefined {
    return this.#rooms.get(roomId);
  }

  /** The rooms that this daemon serves, in the order of their ids. */
  list(): Room[] {
    return [...this.#rooms.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** Every room that is not closed: those handed off, whose peers have yet to move, too. */
  get open(): Room[] {
    return [...this.#rooms.values(), ...this.#handedOff.keys()];
  }

  /** How many are open. */
  get size(): number {
    return this.#rooms.size + this.#handedOff.size;
  }

  /** How many peers are in those that are open. */
  get peerCount(): number {
    return this.open.reduce((count, room) => count + room.peerCount, 0);
  }

  /** Whether the peer is in an open room of that id. */
  hasPeer(roomId: string, peerId: string): boolean {
    if (this.#rooms.get(roomId)?.has(peerId)) return true;
    for (const room of this.#handedOff.keys()) if (room.id === roomId && room.has(peerId)) return true;
    return false;
  }

  /** Whether the rooms are being moved away and no new ones are created. */
  get draining(): boolean {
    return this.#draining;
  }

  /** Creates no more rooms from now on. */
  drain(): void {
    this.#draining = true;
  }

  /**
   * The room, created on the next worker in turn if there is none. Concurrent calls create one.
   *
   * @throws RequestError 503 for a new room while draining, or without a worker.
   */
  async getOrCreate(roomId: string, epoch = 0): Promise<Room> {
    const room = this.#rooms.get(roomId) ?? (await (this.#making.get(roomId) ?? this.#make(roomId, epoch)));
    room.epoch = Math.max(room.epoch, epoch);
    return room;
  }

  /** The peers and rooms that backends have removed. */
  get kicks(): Pick<Kicks, 'isVoid' | 'checkBan' | 'find'> {
    return this.#kicks;
  }

  /**
   * Removes a peer from its room on a backend's behalf.
   *
   * @param banMs milliseconds for which it is not let in again.
   */
  kickPeer(room: Room, peer: Peer, reason: string, banMs: number): void {
    this.#kicks.addPeer(room.id, peer.id, banMs);
    room.kick(peer, reason);
  }

  /**
   * Gives up a room that another daemon serves: it is not found any more, so that nobody joins it and a room of the same
   * id may be created; its peers are asked to move, and at the deadline it closes.
   */
  handOff(room: Room, reason: MoveReason): void {
    if (this.#rooms.get(room.id) !== room) return;
    const end = reason === 'fenced' ? 'fenced' : 'moved';
    const { moveDeadlineMs } = this.#options;
    this.#logger.info({ roomId: room.id, reason, peers: room.peerCount, moveDeadlineMs }, 'room handed off');
    room.handOff(end);
    this.#rooms.delete(room.id);
    this.#handedOff.set(
      room,
      setTimeout(() => room.close(end), moveDeadlineMs),
    );
    if (room.peerCount === 0) room.close(end);
    else room.askToMove(reason, moveDeadlineMs);
  }

  /** Hands off every room. */
  handOffAll(reason: MoveReason): void {
    for (const room of this.list()) this.handOff(room, reason);
  }

  /** Closes every room. */
  close(end: RoomEnd): void {
    for (const room of this.open) room.close(end);
  }

  async #make(roomId: string, epoch: number): Promise<Room> {
    if (this.#draining) throw new RequestError('DRAINING', 'this media daemon is draining and takes no new rooms');
    const onEvent = (room: Room, event: RoomEvent) => this.#onEvent(room, event);
    const making = Room.create(roomId, epoch, this.#pool, { ...this.#options, onEvent })
      .then((room) => {
        this.#rooms.set(roomId, room);
        const workerPid = room.mesh.routers[0]?.pooledWorker.worker.pid;
        this.#logger.info({ roomId, workerPid }, 'room created');
        room.emit({ kind: 'roomCreated' });
        return room;
      })
      .finally(() => this.#making.delete(roomId));
    this.#making.set(roomId, making);
    return making;
  }

  #onEvent(room: Room, event: RoomEvent): void {
    if (event.kind === 'roomClosed') this.#remove(room, event.end);
    for (const listener of this.#listeners) listener(room, event);
    if (event.kind === 'roomClosed' && event.end === 'worker' && room.epoch > 0 && !room.isHandedOff)
      this.#rebuild(room);
  }

  #remove(room: Room, end: RoomEnd): void {
    clearTimeout(this.#handedOff.get(room));
    if (!this.#handedOff.delete(room)) this.#rooms.delete(room.id);
    if (end === 'command') this.#kicks.addRoom(room.id);
    this.#logger.info({ roomId: room.id, end }, 'room closed');
  }

  /** Creates a room again whose worker died: its peers are asked to come back here, and others may be on their way. */
  #rebuild(room: Room): void {
    this.getOrCreate(room.id, room.epoch).catch((error: unknown) => {
      this.#logger.warn({ err: error, roomId: room.id }, 'room not created again after the death of its worker');
      room.emit({ kind: 'roomNotRebuilt' });
    });
  }
}
