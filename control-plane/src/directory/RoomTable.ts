import { z } from 'zod';
import { allOf, anyOf } from '../store/conditionBuilder.ts';
import { Computed, type Page, type PageRequest, Table, type TableParts } from '../store/Table.ts';
import { hasEpoch, hasInstance, isOnDaemon, isOnIncarnation, itemIsAbsent } from './roomConditions.ts';

/** How long a closed room's item stays, so that its epoch never goes back while anybody may still know it: an hour. */
const TOMBSTONE_SECONDS = 3600;
/** How long the record of a room stays that its daemon does not renew: a day. */
const RECORD_SECONDS = 24 * 3600;

const instanceSchema = z.object({ daemonId: z.string(), shard: z.string(), incarnation: z.string() });
/** A room's presence on one daemon; `shard` is the hash key of that daemon's row. */
export type Instance = z.infer<typeof instanceSchema>;

const roomSchema = z.object({
  roomId: z.string(),
  epoch: z.int().nonnegative(),
  instances: z.array(instanceSchema),
  /** mediasoup's RtpCapabilities as JSON. */
  rtpCapabilities: z.string().optional(),
  createdAt: z.number(),
  updatedAt: z.number(),
  /** Peers that were kicked, and until when each is refused, Unix time in ms. A list, because a peer's id may be `__proto__`. */
  refusedPeers: z.array(z.object({ peerId: z.string(), until: z.number() })).optional(),
  /** Unix time in seconds, as TTL wants it. */
  expiresAt: z.number().optional(),
});
export type Room = z.infer<typeof roomSchema>;
/** By peer, until when it is refused, Unix time in ms. */
export type Refusals = ReadonlyMap<string, number>;
/** The most refusals that a room's item has room for. */
const MAX_REFUSALS = 1000;

/** The key of a room's item. */
export type RoomKey = Pick<Room, 'roomId'>;

/** The table of rooms: which daemon has a room, and its epoch. */
export class RoomTable {
  readonly #table: Table<typeof roomSchema>;

  constructor(parts: TableParts, prefix: string) {
    this.#table = new Table(parts, { prefix, label: 'rooms', schema: roomSchema });
  }

  /**
   * Reads a room. One that does not exist is read as a room of epoch 0 without instances, and so is a tombstone, but
   * with its epoch.
   */
  async read(roomId: string, options: { timeoutMs?: number } = {}): Promise<Room> {
    const now = Date.now();
    const never = { roomId, epoch: 0, instances: [], createdAt: now, updatedAt: now };
    return (await this.#table.get({ roomId }, options)) ?? never;
  }

  /**
   * Makes an instance the room's only one, in the next epoch.
   *
   * @param seen the room as it was read; when it has changed since, nothing is written.
   * @returns the room as written, or `undefined` for the loser of a race.
   */
  async place(seen: Room, instance: Instance, rtpCapabilities: string): Promise<Room | undefined> {
    const now = Date.now();
    const { roomId } = seen;
    const createdAt = seen.instances.length > 0 ? seen.createdAt : now;
    const room = {
      roomId,
      epoch: seen.epoch + 1,
      instances: [instance],
      rtpCapabilities,
      createdAt,
      updatedAt: now,
      refusedPeers: current(seen.refusedPeers, now),
      expiresAt: secondsFrom(now, RECORD_SECONDS),
    };
    return (await this.#table.put(room, anyOf(itemIsAbsent, hasEpoch(seen.epoch)))) ? room : undefined;
  }

  /**
   * Keeps a room's record for another day.
   *
   * @returns `false` when the room is not that daemon's, or has another epoch.
   */
  async renew(open: { roomId: string; epoch: number; daemonId: string; incarnation: string }): Promise<boolean> {
    const expiresAt = secondsFrom(Date.now(), RECORD_SECONDS);
    const renewed = await this.#table.update({ roomId: open.roomId }, { expiresAt }, isUnchanged(open));
    return renewed !== undefined;
  }

  /**
   * Records that peers were kicked: raises the epoch, which voids their earlier assignments, and stores until when each is
   * refused, which stays with the room when it moves. Only the room's daemon reports kicks, one report after another.
   *
   * @returns the room as it is now, or `undefined` when that daemon no longer has it.
   */
  async recordKicks(
    { roomId, daemonId, incarnation }: { roomId: string; daemonId: string; incarnation: string },
    refusals: Refusals,
  ): Promise<Room | undefined> {
    const { refusedPeers } = await this.read(roomId);
    const former = current(refusedPeers, Date.now()).filter(({ peerId }) => !refusals.has(peerId));
    const longest = [...former, ...[...refusals].map(([peerId, until]) => ({ peerId, until }))]
      .sort((a, b) => b.until - a.until)
      .slice(0, MAX_REFUSALS);
    const change = { refusedPeers: longest, epoch: new Computed('epoch', '+', 1) };
    return this.#table.update({ roomId }, change, isOf({ daemonId, incarnation }));
  }

  /**
   * Leaves a tombstone in a room's place.
   *
   * @returns `false` when the room is not that daemon's any more, or has another epoch.
   */
  async close(closed: { roomId: string; epoch: number; daemonId: string; incarnation: string }): Promise<boolean> {
    const now = Date.now();
    const tombstone = await this.#table.update(
      { roomId: closed.roomId },
      {
        instances: [],
        rtpCapabilities: undefined,
        updatedAt: now,
        expiresAt: secondsFrom(now, TOMBSTONE_SECONDS),
      },
      isUnchanged(closed),
    );
    return tombstone !== undefined;
  }

  /** A page of the rooms that have an instance. For operators: it reads the table, tombstones too. */
  list(page: PageRequest<RoomKey>): Promise<Page<Room, RoomKey>> {
    return this.#table.scan(page, hasInstance, ({ roomId }) => ({ roomId }));
  }
}

const secondsFrom = (now: number, seconds: number): number => Math.ceil(now / 1000) + seconds;

/** Those that are not over. */
const current = (refused: Room['refusedPeers'] = [], now: number): NonNullable<Room['refusedPeers']> =>
  refused.filter(({ until }) => until > now);

function isUnchanged({ epoch, ...owner }: { epoch: number; daemonId: string; incarnation: string }) {
  return allOf(hasEpoch(epoch), isOf(owner));
}

function isOf({ daemonId, incarnation }: { daemonId: string; incarnation: string }) {
  return allOf(isOnDaemon(daemonId), isOnIncarnation(incarnation));
}
