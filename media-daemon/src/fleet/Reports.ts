import type { MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import type { HeartbeatRequestSchema, HeartbeatResponse } from '@mediasoup-server/proto/registry';
import type { Kick } from '../rooms/Kicks.ts';
import type { Room } from '../rooms/Room.ts';
import type { RoomEnd } from '../rooms/RoomEvent.ts';
import type { Rooms } from '../rooms/Rooms.ts';

/** The most rooms, and the most peers, of one heartbeat: the control plane reads 64 KiB of it, and takes time for each. */
const MOST_AT_ONCE = 40;

/** `kick` is set when a backend closed the room. */
type Closed = { readonly epoch: number; readonly kick: Kick | undefined };
type KickedPeer = { readonly roomId: string; readonly peerId: string; readonly epoch: number; readonly kick: Kick };

/** The part of an answer about reports: rooms whose epoch was raised, and rooms to report again. */
type Answer = Pick<HeartbeatResponse, 'raised' | 'unprocessed'>;

/** What heartbeats report until it is acknowledged: rooms that closed, and peers that backends removed. */
export class Reports {
  readonly #rooms: Rooms;
  readonly #onNews: () => void;
  readonly #closed = new Map<string, Closed>();
  readonly #kicked = new Set<KickedPeer>();

  /** @param onNews called when there is something to report. */
  constructor(rooms: Rooms, onNews: () => void) {
    this.#rooms = rooms;
    this.#onNews = onNews;
    rooms.listen((room, event) => {
      if (event.kind === 'roomClosed') this.#roomClosed(room, event.end);
      else if (event.kind === 'roomNotRebuilt') this.#reportClosed(room, undefined);
      else if (event.kind === 'peerLeft' && event.leave.kind === 'kicked') this.#peerKicked(room, event.peer.id);
    });
  }

  get isEmpty(): boolean {
    return this.#closed.size + this.#kicked.size === 0;
  }

  /** A room whose close has yet to be acknowledged. */
  closing(roomId: string): Closed | undefined {
    return this.#closed.get(roomId);
  }

  /** Stops reporting the close of a room. */
  withdraw(roomId: string): void {
    this.#closed.delete(roomId);
  }

  /** Drops the reports of a run that has ended, and with it all assignments to it. */
  forget(): void {
    for (const { epoch, kick } of this.#closed.values()) if (kick) kick.voidTo = epoch;
    this.#closed.clear();
  }

  /** What to report now, and how to take the answer, which returns whether the next report should follow at once. */
  take(): {
    report: Pick<MessageInitShape<typeof HeartbeatRequestSchema>, 'closedRooms' | 'removedPeers'>;
    acknowledge: (answer: Answer) => boolean;
  } {
    const kicked = [...this.#kicked].slice(0, MOST_AT_ONCE);
    // A closed room is no daemon's any more, so that its kicks come first.
    const kickedLater = new Set([...this.#kicked].slice(MOST_AT_ONCE).map(({ roomId }) => roomId));
    const closed = [...this.#closed].filter(([roomId]) => !kickedLater.has(roomId)).slice(0, MOST_AT_ONCE);
    const now = Date.now();
    return {
      report: {
        closedRooms: closed.map(([roomId, { epoch }]) => ({ roomId, epoch: BigInt(epoch) })),
        removedPeers: kicked.map(({ roomId, peerId, kick }) => ({
          roomId,
          peerId,
          refuseFor: durationFromMs(Math.max(0, kick.bannedUntil - now)),
        })),
      },
      acknowledge: (answer) => {
        this.#acknowledge(closed, kicked, answer);
        // What the control plane cannot process now has time.
        return !this.isEmpty && answer.unprocessed.length === 0;
      },
    };
  }

  #roomClosed(room: Room, end: RoomEnd): void {
    const kick = end === 'command' ? this.#rooms.kicks.find(room.id) : undefined;
    // Nobody is assigned to a room without a record, and a room that was handed off is another daemon's to report.
    if (kick && room.epoch === 0) kick.voidTo = 0;
    if (room.epoch === 0 || room.isHandedOff) return;
    // After the death of a worker the room is created again, and its record stays true.
    if (end !== 'worker') this.#reportClosed(room, kick);
  }

  #reportClosed(room: Room, kick: Kick | undefined): void {
    this.#closed.set(room.id, { epoch: room.epoch, kick });
    this.#onNews();
  }

  #peerKicked({ id: roomId, epoch }: Room, peerId: string): void {
    const kick = this.#rooms.kicks.find(roomId, peerId);
    if (!kick) return;
    this.#kicked.add({ roomId, peerId, epoch, kick });
    this.#onNews();
  }

  #acknowledge(
    closed: readonly (readonly [string, Closed])[],
    kicked: readonly KickedPeer[],
    { raised, unprocessed }: Answer,
  ): void {
    const again = new Set(unprocessed);
    const epochs = new Map(raised.map(({ roomId, epoch }) => [roomId, Number(epoch)]));
    for (const one of kicked) {
      this.#kicked.delete(one);
      // After those that were not reported yet.
      if (again.has(one.roomId)) {
        this.#kicked.add(one);
        continue;
      }
      const raisedTo = epochs.get(one.roomId);
      // Nothing is raised for a room of another daemon, whose assignments have greater epochs.
      one.kick.voidTo = raisedTo === undefined ? one.epoch : raisedTo - 1;
    }
    for (const [roomId, one] of closed) {
      const isLast = this.#closed.get(roomId) === one;
      if (isLast) this.#closed.delete(roomId);
      if (again.has(roomId)) {
        if (isLast) this.#closed.set(roomId, one);
        continue;
      }
      if (one.kick) one.kick.voidTo = Math.max(one.epoch, epochs.get(roomId) ?? 0);
    }
    for (const [roomId, epoch] of epochs) {
      const room = this.#rooms.get(roomId);
      // A room without a record was created after the one of the report.
      if (room && room.epoch > 0) room.epoch = Math.max(room.epoch, epoch);
    }
  }
}
