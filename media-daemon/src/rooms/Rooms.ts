import type { Logger } from '@mediasoup-server/process/logger';
import { RoomEnd as Ended } from '@mediasoup-server/proto/daemon';
import { RequestError } from '../errors.ts';
import type { WorkerPool } from '../workers/WorkerPool.ts';
import type { Happening } from './Happening.ts';
import type { Peer } from './Peer.ts';
import { Removals } from './Removals.ts';
import { Room, type RoomEnd, type RoomOptions } from './Room.ts';

/** What the rooms' surroundings do when something happens to one. */
export type RoomsListener = {
  readonly roomClosed?: (room: Room, end: RoomEnd) => void;
  readonly peerRemoved?: (peer: Peer, comeBack: boolean) => void;
  readonly peerRefused?: (room: Room, peerId: string, refuseForMs: number) => void;
  readonly happened?: (room: Room, happening: Happening) => void;
};

/** The rooms of this daemon. */
export class Rooms {
  readonly #rooms = new Map<string, Room>();
  readonly #making = new Map<string, Promise<Room>>();
  readonly #listeners = new Set<RoomsListener>();
  readonly #pool: WorkerPool;
  readonly #options: Omit<RoomOptions, 'hooks'>;
  readonly #logger: Logger;
  readonly #removals = new Removals();
  #draining = false;

  constructor(pool: WorkerPool, options: Omit<RoomOptions, 'hooks'>, logger: Logger) {
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

  /** In the order of their ids. */
  list(): Room[] {
    return [...this.#rooms.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  get size(): number {
    return this.#rooms.size;
  }

  get peerCount(): number {
    let count = 0;
    for (const room of this.#rooms.values()) count += room.peerCount;
    return count;
  }

  /** Whether the rooms are being moved away and nothing new is taken. */
  get draining(): boolean {
    return this.#draining;
  }

  /** Makes no more rooms from now on. */
  drain(): void {
    this.#draining = true;
  }

  /**
   * The room, made on the next worker in turn where there is none. Concurrent calls make one.
   *
   * @throws RequestError 503 for a new room while draining, or without a worker.
   */
  async getOrCreate(roomId: string, epoch = 0): Promise<Room> {
    const room = this.#rooms.get(roomId) ?? (await (this.#making.get(roomId) ?? this.#make(roomId, epoch)));
    room.epoch = Math.max(room.epoch, epoch);
    return room;
  }

  /** Whom commands have put out. */
  get removals(): Pick<Removals, 'hasBeenSince' | 'isRefused'> {
    return this.#removals;
  }

  /**
   * Puts a peer out of its room.
   *
   * @param refuseForMs milliseconds for which it is not let in again.
   */
  removePeer(room: Room, peer: Peer, reason: string, refuseForMs: number): void {
    this.#removals.addPeer(room.id, peer.id, refuseForMs);
    if (refuseForMs > 0) for (const listener of this.#listeners) listener.peerRefused?.(room, peer.id, refuseForMs);
    room.remove(peer, reason);
  }

  /** Closes every room. */
  close(end: RoomEnd): void {
    for (const room of this.#rooms.values()) room.close(end);
  }

  async #make(roomId: string, epoch: number): Promise<Room> {
    if (this.#draining) throw new RequestError(503, 'this media daemon is draining and takes no new rooms');
    const options: RoomOptions = {
      ...this.#options,
      hooks: {
        closed: (room, end) => {
          this.#rooms.delete(roomId);
          if (end === 'command') this.#removals.addRoom(roomId);
          this.#logger.info({ roomId, end }, 'room closed');
          this.#tell(room, { case: 'roomClosed', value: { end: ends[end] } });
          for (const listener of this.#listeners) listener.roomClosed?.(room, end);
        },
        peerRemoved: (_room, peer, comeBack) => {
          for (const listener of this.#listeners) listener.peerRemoved?.(peer, comeBack);
        },
        happened: (room, happening) => this.#tell(room, happening),
      },
    };
    const making = this.#pool
      .next()
      .then((worker) => Room.create(roomId, epoch, worker, options))
      .then((room) => {
        this.#rooms.set(roomId, room);
        this.#logger.info({ roomId, workerPid: room.workerPid }, 'room created');
        this.#tell(room, { case: 'roomCreated', value: {} });
        return room;
      })
      .finally(() => this.#making.delete(roomId));
    this.#making.set(roomId, making);
    return making;
  }

  #tell(room: Room, happening: Happening): void {
    for (const listener of this.#listeners) listener.happened?.(room, happening);
  }
}

const ends: Record<RoomEnd, Ended> = {
  empty: Ended.EMPTY,
  unjoined: Ended.UNJOINED,
  command: Ended.COMMAND,
  worker: Ended.WORKER,
  fenced: Ended.FENCED,
  shutdown: Ended.SHUTDOWN,
  moved: Ended.MOVED,
};
