import type { MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import type { HeartbeatRequestSchema, HeartbeatResponse } from '@mediasoup-server/proto/registry';
import type { Removal } from '../rooms/Removals.ts';
import type { Room } from '../rooms/Room.ts';
import type { Rooms } from '../rooms/Rooms.ts';

/** `removal` is there where the room was closed by command. */
type Closed = { readonly epoch: number; readonly removal: Removal | undefined };
type PutOut = { readonly roomId: string; readonly peerId: string; readonly epoch: number; readonly removal: Removal };

/** What an answer says of the reports: rooms whose epoch is raised, and rooms to report again. */
type Answer = Pick<HeartbeatResponse, 'raised' | 'unprocessed'>;

/** What heartbeats tell of rooms until it is acknowledged: which have closed, and whom commands have put out of them. */
export class Reports {
  readonly #rooms: Rooms;
  readonly #closed = new Map<string, Closed>();
  readonly #putOut = new Set<PutOut>();

  /** @param onNews called when there is something to report. */
  constructor(rooms: Rooms, onNews: () => void) {
    this.#rooms = rooms;
    const closed = (room: Room, removal?: Removal) => {
      this.#closed.set(room.id, { epoch: room.epoch, removal });
      onNews();
    };
    rooms.listen({
      roomClosed: (room, end, removal) => {
        // Nobody is assigned to a room without a record, and what was let go is another's to report.
        if (removal) removal.voidTo = room.epoch === 0 ? 0 : removal.voidTo;
        if (room.epoch === 0 || room.isLetGo) return;
        // After the death of a worker the room is made again, and its record stays true.
        if (end !== 'worker') closed(room, removal);
      },
      roomNotRebuilt: (room) => closed(room),
      peerPutOut: ({ id: roomId, epoch }, peerId, removal) => {
        this.#putOut.add({ roomId, peerId, epoch, removal });
        onNews();
      },
    });
  }

  get isEmpty(): boolean {
    return this.#closed.size + this.#putOut.size === 0;
  }

  /** A room whose close is yet to be acknowledged. */
  closing(roomId: string): Closed | undefined {
    return this.#closed.get(roomId);
  }

  /** Reports the close of a room no more. */
  withdraw(roomId: string): void {
    this.#closed.delete(roomId);
  }

  /** This run of the daemon is over, and with it all assignments to it: what it closed is nobody's to report. */
  forget(): void {
    for (const { epoch, removal } of this.#closed.values()) if (removal) removal.voidTo = epoch;
    this.#closed.clear();
  }

  /** What there is to report, and what is to be done with the rooms whose epoch an answer says it has raised. */
  take(): {
    report: Pick<MessageInitShape<typeof HeartbeatRequestSchema>, 'closedRooms' | 'removedPeers'>;
    acknowledge: (answer: Answer) => void;
  } {
    const closed = [...this.#closed];
    const putOut = [...this.#putOut];
    const now = Date.now();
    return {
      report: {
        closedRooms: closed.map(([roomId, { epoch }]) => ({ roomId, epoch: BigInt(epoch) })),
        removedPeers: putOut.map(({ roomId, peerId, removal }) => ({
          roomId,
          peerId,
          refuseFor: durationFromMs(Math.max(0, removal.refusedUntil - now)),
        })),
      },
      acknowledge: (answer) => this.#acknowledge(closed, putOut, answer),
    };
  }

  #acknowledge(
    closed: readonly (readonly [string, Closed])[],
    putOut: readonly PutOut[],
    { raised, unprocessed }: Answer,
  ): void {
    const again = new Set(unprocessed);
    const epochs = new Map(raised.map(({ roomId, epoch }) => [roomId, Number(epoch)]));
    for (const one of putOut) {
      if (again.has(one.roomId)) continue;
      this.#putOut.delete(one);
      const raisedTo = epochs.get(one.roomId);
      // Where nothing was raised the room is another daemon's, whose assignments have greater epochs.
      one.removal.voidTo = raisedTo === undefined ? one.epoch : raisedTo - 1;
    }
    for (const [roomId, one] of closed) {
      if (again.has(roomId)) continue;
      if (this.#closed.get(roomId) === one) this.#closed.delete(roomId);
      if (one.removal) one.removal.voidTo = Math.max(one.epoch, epochs.get(roomId) ?? 0);
    }
    for (const [roomId, epoch] of epochs) {
      const room = this.#rooms.get(roomId);
      // One without a record was made after the one that this is about.
      if (room && room.epoch > 0) room.epoch = Math.max(room.epoch, epoch);
    }
  }
}
