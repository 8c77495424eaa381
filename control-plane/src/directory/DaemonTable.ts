import { z } from 'zod';
import { allOf, differs } from '../store/conditionBuilder.ts';
import { Computed, Member, type Page, type PageRequest, Table, type TableParts } from '../store/Table.ts';
import { type Daemon, daemonSchema, expiryOf, type Load, shardOf } from './Daemon.ts';
import {
  hasHeadroom,
  hasHeartbeatSince,
  hasSecret,
  holdsNoReservation,
  isIncarnation,
  isNotLost,
  isReady,
  isUnchangedSince,
  rowIsAbsent,
} from './daemonConditions.ts';
import { expiredSlots, liveSlots } from './Reservations.ts';

/** The hash key of the items that name the regions; no shard's name is without a "#". */
const REGIONS = 'regions';
const regionSchema = z.object({ shard: z.literal(REGIONS), daemonId: z.string() });

/** The key of a daemon's row. */
export type DaemonKey = Pick<Daemon, 'shard' | 'daemonId'>;

/** The table of media daemons, and of the regions that they are in. */
export class DaemonTable {
  readonly #daemons: Table<typeof daemonSchema>;
  readonly #regions: Table<typeof regionSchema>;

  constructor(parts: TableParts, prefix: string) {
    this.#daemons = new Table(parts, { prefix, label: 'daemons', schema: daemonSchema });
    this.#regions = new Table(parts, { prefix, label: 'daemons', schema: regionSchema });
  }

  read(shard: string, daemonId: string, options: { timeoutMs?: number } = {}): Promise<Daemon | undefined> {
    return this.#daemons.get({ shard, daemonId }, options);
  }

  /** The regions that daemons have registered in. */
  async listRegions(): Promise<string[]> {
    return (await this.#regions.query('shard', REGIONS)).map(({ daemonId }) => daemonId);
  }

  listShard(shard: string): Promise<Daemon[]> {
    return this.#daemons.query('shard', shard);
  }

  /** A daemon by its id, in whichever region it is: for registrations only, as it reads an item for each region. */
  async find(daemonId: string): Promise<Daemon | undefined> {
    const regions = await this.listRegions();
    const rows = await Promise.all(regions.map((region) => this.read(shardOf(region, daemonId), daemonId)));
    return rows.filter((row) => row !== undefined).sort((a, b) => b.heartbeatAt - a.heartbeatAt)[0];
  }

  /**
   * Writes a daemon's row over the one that was seen, or over none.
   *
   * @returns `false` when the row has changed since.
   */
  async register(daemon: Daemon, seen: Daemon | undefined): Promise<boolean> {
    await this.#regions.put({ shard: REGIONS, daemonId: daemon.region });
    if (!seen) return this.#daemons.put(daemon, rowIsAbsent);
    const unchanged = isUnchangedSince(seen);
    if (seen.shard === daemon.shard) return this.#daemons.put(daemon, unchanged);
    const { shard, daemonId } = seen;
    return (await this.#daemons.delete({ shard, daemonId }, unchanged)) && this.#daemons.put(daemon, rowIsAbsent);
  }

  /**
   * Takes over what a heartbeat reports. Its headroom leaves out the peers that were assigned and are yet to come, as
   * far as the daemon knew of them: those of `assigned`. Without a load the former one stays.
   *
   * @returns the row as it is now, or `undefined` when there is no such row, or it is another incarnation's, or lost, or the secret is not its own.
   */
  heartbeat(
    who: { shard: string; daemonId: string; incarnation: string; secretHash: string },
    report: { state: 'ready' | 'draining'; load: Load | undefined; headroom: number; assigned: number },
  ): Promise<Daemon | undefined> {
    const { shard, daemonId } = who;
    const { state, load } = report;
    const headroom = new Computed(report.headroom + report.assigned, '-', 'assigned');
    const heartbeatAt = Date.now();
    const emptied = Object.fromEntries(expiredSlots(heartbeatAt).map((slot) => [slot, undefined]));
    return this.#daemons.update(
      { shard, daemonId },
      { state, ...(load && { load }), headroom, heartbeatAt, expiresAt: expiryOf(heartbeatAt), ...emptied },
      allOf(isIncarnation(who.incarnation), hasSecret(who.secretHash), isNotLost),
    );
  }

  /**
   * Reserves headroom for a peer. The daemon's heartbeats release it if the peer does not come.
   *
   * @param reservation see `reservationOf`.
   * @param options.freshSince Unix time in milliseconds. Reserves nothing if the last heartbeat is older.
   * @param options.again reserves once more for a peer that has a reservation.
   * @returns the daemon, or `undefined` when it is full, not ready, another incarnation or too long silent, or holds a
   * reservation of this peer.
   */
  reserve(
    { shard, daemonId, incarnation }: Pick<Daemon, 'shard' | 'daemonId' | 'incarnation'>,
    reservation: string,
    { freshSince = 0, again = false }: { freshSince?: number; again?: boolean } = {},
  ): Promise<Daemon | undefined> {
    const now = Date.now();
    const conditions = [isIncarnation(incarnation), isReady, hasHeadroom, hasHeartbeatSince(freshSince)];
    if (!again) conditions.push(holdsNoReservation(reservation, now));
    return this.#daemons.update(
      { shard, daemonId },
      {
        headroom: new Computed('headroom', '-', 1),
        assigned: new Computed('assigned', '+', 1),
        [liveSlots(now)[0]]: new Member('ADD', reservation),
      },
      allOf(...conditions),
    );
  }

  /** Releases what `reserve` reserved. */
  async release(
    { shard, daemonId, incarnation }: Pick<Daemon, 'shard' | 'daemonId' | 'incarnation'>,
    reservation: string,
  ): Promise<void> {
    const removed = Object.fromEntries(liveSlots(Date.now()).map((slot) => [slot, new Member('DELETE', reservation)]));
    await this.#daemons.update(
      { shard, daemonId },
      { headroom: new Computed('headroom', '+', 1), assigned: new Computed('assigned', '-', 1), ...removed },
      isIncarnation(incarnation),
    );
  }

  /**
   * Declares a daemon dead.
   *
   * @returns `false` when it has sent a heartbeat since it was seen, or was replaced, or declared dead already.
   */
  async markLost(seen: Daemon): Promise<boolean> {
    const { shard, daemonId } = seen;
    const lost = await this.#daemons.update(
      { shard, daemonId },
      { state: 'lost' },
      allOf(isUnchangedSince(seen), isNotLost),
    );
    return lost !== undefined;
  }

  /** @returns `false` when there is no such row or the secret is not its own. */
  remove(shard: string, daemonId: string, secretHash: string): Promise<boolean> {
    return this.#daemons.delete({ shard, daemonId }, hasSecret(secretHash));
  }

  /** A page of the daemons of all regions, in whatever state. For operators: it reads the table. */
  list(page: PageRequest<DaemonKey>): Promise<Page<Daemon, DaemonKey>> {
    const isDaemon = differs('shard', REGIONS);
    return this.#daemons.scan(page, isDaemon, ({ shard, daemonId }) => ({ shard, daemonId }));
  }
}
