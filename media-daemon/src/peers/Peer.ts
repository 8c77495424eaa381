import type {
  Notification,
  NotificationData,
  RequestData,
  ResponseData,
  Snapshot,
} from '@mediasoup-server/proto/signaling';
import { Messages } from '../rooms/Messages.ts';
import type { Room } from '../rooms/Room.ts';
import type { RoomRouter } from '../routers/RoomRouter.ts';
import type { Grants } from './Grants.ts';
import { type Measured, PeerConsumers } from './PeerConsumers.ts';
import { PeerProducers } from './PeerProducers.ts';
import { PeerTransports } from './PeerTransports.ts';

/** Tells a peer's client something. It never throws: whether the client still listens is not the room's concern. */
export type Notify = <N extends Notification>(method: N, data: NotificationData<N>) => void;

/** Who joins a room. */
export type Joining = {
  readonly peerId: string;
  readonly appData: Record<string, unknown>;
  readonly grants: Grants;
  readonly notify: Notify;
  /** Whether its socket takes more messages now; always, where undefined. */
  readonly isReady?: (() => boolean) | undefined;
};

/** Something of a peer that mediasoup measures, and what it is: a `transport`. */
export type Measurable = {
  readonly of: string;
  readonly thing: Measured;
};

/** One user in a room: the owner of its transports, and of what it sends and receives on them. */
export class Peer {
  readonly id: string;
  readonly grants: Grants;
  readonly joinedAt = new Date();
  readonly notify: Notify;
  /** Where its media is, as long as it stays. */
  readonly router: RoomRouter;
  readonly transports: PeerTransports;
  readonly producers: PeerProducers;
  readonly consumers: PeerConsumers;
  readonly messages: Messages;
  /** Whether the peer is told of the others: from the answer to its `joinRoom` on. */
  announced = false;
  /** Whether its socket is there; without one it stays for a time. */
  isConnected = true;
  readonly #room: Room;
  #appData: Record<string, unknown>;
  #closed = false;

  constructor({ peerId, appData, grants, notify, isReady = () => true }: Joining, room: Room, router: RoomRouter) {
    this.id = peerId;
    this.#appData = appData;
    this.grants = grants;
    this.notify = notify;
    this.#room = room;
    this.router = router;
    router.join(this);
    this.transports = new PeerTransports(room, router, notify);
    this.producers = new PeerProducers(this, room);
    this.consumers = new PeerConsumers(this, room);
    this.messages = new Messages(this, room, isReady);
  }

  get appData(): Record<string, unknown> {
    return this.#appData;
  }

  get producerCount(): number {
    return this.producers.media.size;
  }

  get consumerCount(): number {
    return this.consumers.media.size;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** @throws RequestError 429 when the peer or the room does it too often. */
  updateAppData({ appData }: RequestData<'updateAppData'>): void {
    this.#room.announcements.update(this.id, appData);
    this.#appData = appData;
    this.#room.peerUpdated(this);
  }

  /** mediasoup's statistics of one of the peer's own things. */
  async getStats(of: RequestData<'getStats'>): Promise<ResponseData<'getStats'>> {
    const { transports, producers, consumers } = this;
    const measured =
      'transportId' in of
        ? transports.get(of.transportId)
        : 'producerId' in of
          ? producers.media.get(of.producerId)
          : 'consumerId' in of
            ? consumers.measured(consumers.media.get(of.consumerId))
            : 'dataProducerId' in of
              ? producers.data.get(of.dataProducerId)
              : consumers.data.get(of.dataConsumerId);
    return { stats: await measured.getStats() };
  }

  /** Everything of the peer that mediasoup measures, in the order of the ids. */
  get measurable(): Measurable[] {
    const { transports, producers, consumers } = this;
    const all = {
      transport: transports,
      producer: producers.media,
      consumer: [...consumers.media].map((consumer) => consumers.measured(consumer)),
      'data producer': producers.data,
      'data consumer': consumers.data,
    };
    return Object.entries<Iterable<Measurable['thing']>>(all)
      .flatMap(([of, things]) => [...things].map((thing) => ({ of, thing })))
      .sort((a, b) => (a.thing.id < b.thing.id ? -1 : 1));
  }

  /** Everything that the peer has, and what it sees of the others. */
  snapshot(): Snapshot {
    return {
      transports: this.transports.snapshot(),
      ...this.producers.snapshot(),
      ...this.consumers.snapshot(),
      ...this.#room.snapshotFor(this),
    };
  }

  /** Closes the peer's transports, and with them its producers and consumers. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.producers.close();
    this.consumers.close();
    this.transports.close();
    this.producers.abandon();
    this.consumers.abandon();
    this.router.leave(this);
  }
}
