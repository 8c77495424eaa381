import { ControlPlaneError } from '@mediasoup-server/proto/ControlPlaneError';
import type { Logger } from '@mediasoup-server/server-kit/logger';
import type { Room } from '../rooms/Room.ts';
import type { Rooms } from '../rooms/Rooms.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { ControlPlaneClient } from './ControlPlaneClient.ts';

/** How many rooms are reported at a time. */
const PAGE = 100;

/** What a registration gave this run of the daemon. */
export type Credentials = { readonly secret: string; readonly incarnation: string };

/** The outcome of a claim. */
export type Claim =
  | { readonly kind: 'recorded' }
  | { readonly kind: 'elsewhere'; readonly daemonId: string }
  /** The control plane does not know this run of the daemon, or declared it lost. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'unanswered' };

export type RoomRecordsOptions = {
  /** Milliseconds after which a room's record at the control plane is renewed. */
  readonly roomRenewalMs: number;
  readonly metrics: Metrics;
  readonly logger: Logger;
};

/**
 * Keeps the control plane's records of this daemon's rooms true: claims rooms that nobody assigned, renews records, and
 * hands off rooms that another daemon serves.
 */
export class RoomRecords {
  readonly #rooms: Rooms;
  readonly #client: ControlPlaneClient;
  readonly #options: RoomRecordsOptions;
  /** When the control plane last said that a room is here, Unix time in ms. */
  readonly #recordedAt = new WeakMap<Room, number>();
  /** Records from before this time are not relied on. */
  #forgottenAt = 0;
  /** Rooms that are served although their claim got no answer. */
  readonly #unclaimed = new Set<Room>();

  constructor(rooms: Rooms, client: ControlPlaneClient, options: RoomRecordsOptions) {
    this.#rooms = rooms;
    this.#client = client;
    this.#options = options;
    rooms.listen((room, { kind }) => {
      if (kind === 'roomClosed') this.#unclaimed.delete(room);
    });
  }

  /** Trusts no record any more: the control plane has forgotten this daemon, and perhaps its rooms. */
  forget(): void {
    this.#forgottenAt = Date.now();
  }

  /**
   * Claims a room. A room that another daemon serves is handed off; without an answer it is claimed again later.
   *
   * @param credentials undefined while the daemon is not registered.
   */
  async claim(room: Room, credentials: Credentials | undefined): Promise<Claim> {
    if (this.#recordedAt.has(room)) return { kind: 'recorded' };
    const { metrics, logger } = this.#options;
    try {
      if (!credentials) throw new Error('the daemon is not registered');
      const { granted, daemonId, epoch } = await this.#client.claimRoom(credentials.secret, room.id, {
        incarnation: credentials.incarnation,
        rtpCapabilitiesJson: JSON.stringify(room.rtpCapabilities),
      });
      this.#unclaimed.delete(room);
      metrics.claims.inc({ outcome: granted ? 'granted' : 'elsewhere' });
      if (granted) this.recorded(room, Number(epoch));
      else this.#handOff(room);
      return granted ? { kind: 'recorded' } : { kind: 'elsewhere', daemonId };
    } catch (error) {
      metrics.claims.inc({ outcome: 'failed' });
      logger.warn({ err: error, roomId: room.id }, 'room not claimed; it is claimed again later');
      this.#unclaimed.add(room);
      return {
        kind: error instanceof ControlPlaneError && error.code === 'DAEMON_NOT_REGISTERED' ? 'unknown' : 'unanswered',
      };
    }
  }

  /** Notes that the control plane has the room recorded as this daemon's. */
  recorded(room: Room, epoch: number): void {
    room.epoch = Math.max(room.epoch, epoch);
    this.#recordedAt.set(room, Date.now());
  }

  /** Repeats unanswered claims, and reports the rooms whose records are unknown or old. */
  async reconcile(credentials: Credentials): Promise<void> {
    for (const room of this.#unclaimed) {
      if (room.closed || room.isHandedOff) this.#unclaimed.delete(room);
      else await this.claim(room, credentials);
    }
    const { roomRenewalMs, metrics } = this.#options;
    const old = Math.max(this.#forgottenAt, Date.now() - roomRenewalMs);
    // A room that was made by command is recorded by whoever commanded it.
    const recordedAt = (room: Room) => this.#recordedAt.get(room) ?? room.createdAt.getTime();
    const due = this.#rooms.list().filter((room) => room.epoch > 0 && recordedAt(room) <= old);
    for (let from = 0; from < due.length; from += PAGE) {
      const page = due.slice(from, from + PAGE);
      const answer = await this.#client.reportRooms(credentials.secret, {
        incarnation: credentials.incarnation,
        rooms: page.map((room) => ({ roomId: room.id, epoch: BigInt(room.epoch) })),
        // One daemon's rooms can all do the same.
        rtpCapabilitiesJson: JSON.stringify(page[0]?.rtpCapabilities),
      });
      metrics.claims.inc({ outcome: 'reported' }, answer.rooms.length);
      metrics.claims.inc({ outcome: 'elsewhere' }, answer.elsewhere.length);
      const open = new Map(page.map((room) => [room.id, room]));
      for (const { roomId, epoch } of answer.rooms) {
        const room = open.get(roomId);
        if (room) this.recorded(room, Number(epoch));
      }
      for (const roomId of answer.elsewhere) {
        const room = open.get(roomId);
        if (room) this.#handOff(room);
      }
    }
  }

  #handOff(room: Room): void {
    this.#unclaimed.delete(room);
    this.#options.logger.warn(
      { roomId: room.id, peers: room.peerCount },
      'another daemon has opened the room meanwhile',
    );
    this.#rooms.handOff(room, 'fenced');
  }
}
