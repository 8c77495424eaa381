import { RoomEnd as Ended } from '@mediasoup-server/proto/daemon';
import type { Logger } from '@mediasoup-server/server-kit/logger';
import { RequestError } from '../errors.ts';
import type { Peer } from '../peers/Peer.ts';
import type { WorkerPool } from '../workers/WorkerPool.ts';
import type { Happening } from './Happening.ts';
import { type Kick, Kicks } from './Kicks.ts';
import { type MoveReason, Room, type RoomEnd, type RoomOptions } from './Room.ts';

/** What the rooms' surroundings do when something happens to one. */
export type RoomsListener = {
  /** `kick` is there where a command closed it. */
  readonly roomClosed?: (room: Room, end: RoomEnd, kick: Kick | undefined) => void;
  /** The worker of a room with a record has died, and the room could not be made again. */
  readonly roomNotRebuilt?: (room: Room) => void;
  readonly peerRemoved?: (peer: Peer, comeBack: boolean) => void;
  /** A command puts the peer out. */
  readonly peerKicked?: (room: Room, peerId: string, kick: Kick) => void;
  readonly happened?: (room: Room, happening: Happening) => void;
};

export type RoomsOptions = Omit<RoomOptions, 'hooks'> & {
  /** Milliseconds that the peers of a room which lives on another daemon have to move there. */
  readonly moveDeadlineMs: number;
};

/** The rooms of this daemon. */
export class Rooms {
  readonly #rooms = new Map<string, Room>();
  /** Rooms that live on other daemons, until their peers have moved, each with the timer of its deadline. */
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

  /** Those that live here, in the order of their ids. */
  list(): Room[] {
    return [...this.#rooms.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** Whatever is not closed: those that live elsewhere, and whose peers are yet to follow, too. */
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
  get kicks(): Pick<Kicks, 'isVoid' | 'checkBan'> {
    return this.#kicks;
  }

  /**
   * Puts a peer out of its room.
   *
   * @param refuseForMs milliseconds for which it is not let in again.
   */
  kickPeer(room: Room, peer: Peer, reason: string, refuseForMs: number): void {
    const kick = this.#kicks.addPeer(room.id, peer.id, refuseForMs);
    for (const listener of this.#listeners) listener.peerKicked?.(room, peer.id, kick);
    room.kick(peer, reason);
  }

  /**
   * Lets go of a room that lives on another daemon by now: nobody finds it, so that nobody new comes in and a room of
   * the same id may be made; its peers are asked to move, and at the deadline it closes.
   */
  handOff(room: Room, reason: MoveReason): void {
    if (this.#rooms.get(room.id) !== room) return;
    const end = reason === 'fenced' ? 'fenced' : 'moved';
    const { moveDeadlineMs } = this.#options;
    this.#logger.info({ roomId: room.id, reason, peers: room.peerCount, moveDeadlineMs }, 'room let go');
    room.handOff();
    this.#rooms.delete(room.id);
    this.#tell(room, { case: 'roomClosed', value: { end: ends[end] } });
    this.#handedOff.set(
      room,
      setTimeout(() => room.close(end), moveDeadlineMs),
    );
    if (room.peerCount === 0) room.close(end);
    else room.askToMove(reason, moveDeadlineMs);
  }

  /** Lets go of every room. */
  handOffAll(reason: MoveReason): void {
    for (const room of this.list()) this.handOff(room, reason);
  }

  /** Closes every room. */
  close(end: RoomEnd): void {
    for (const room of this.open) room.close(end);
  }

  async #make(roomId: string, epoch: number): Promise<Room> {
    if (this.#draining) throw new RequestError(503, 'this media daemon is draining and takes no new rooms');
    const options: RoomOptions = {
      ...this.#options,
      hooks: {
        closed: (room, end) => {
          clearTimeout(this.#handedOff.get(room));
          if (!this.#handedOff.delete(room)) this.#rooms.delete(roomId);
          const kick = end === 'command' ? this.#kicks.addRoom(roomId) : undefined;
          this.#logger.info({ roomId, end }, 'room closed');
          if (!room.isHandedOff) this.#tell(room, { case: 'roomClosed', value: { end: ends[end] } });
          for (const listener of this.#listeners) listener.roomClosed?.(room, end, kick);
          if (end === 'worker' && room.epoch > 0 && !room.isHandedOff) this.#rebuild(room);
        },
        peerRemoved: (_room, peer, comeBack) => {
          for (const listener of this.#listeners) listener.peerRemoved?.(peer, comeBack);
        },
        happened: (room, happening) => this.#tell(room, happening),
      },
    };
    const making = Room.create(roomId, epoch, this.#pool, options)
      .then((room) => {
        this.#rooms.set(roomId, room);
        const workerPid = room.mesh.routers[0]?.pooledWorker.worker.pid;
        this.#logger.info({ roomId, workerPid }, 'room created');
        this.#tell(room, { case: 'roomCreated', value: {} });
        return room;
      })
      .finally(() => this.#making.delete(roomId));
    this.#making.set(roomId, making);
    return making;
  }

  /** Makes a room again whose worker has died: its peers are told to come back here, and others may be on their way. */
  #rebuild(room: Room): void {
    this.getOrCreate(room.id, room.epoch).catch((error: unknown) => {
      this.#logger.warn({ err: error, roomId: room.id }, 'room not made again after the death of its worker');
      for (const listener of this.#listeners) listener.roomNotRebuilt?.(room);
    });
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
