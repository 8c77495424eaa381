import type { RoomContext } from '../rooms/RoomContext.ts';
import type { RoomEvent } from '../rooms/RoomEvent.ts';
import type { RoomRouter } from '../routers/RoomRouter.ts';
import type { Grants } from './Grants.ts';
import { type Measured, PeerConsumers } from './PeerConsumers.ts';
import type { PeerContext } from './PeerContext.ts';
import { type Inbox, PeerMessages } from './PeerMessages.ts';
import { PeerProducers } from './PeerProducers.ts';
import { PeerTransports } from './PeerTransports.ts';

/** Who joins a room. */
export type Joining = {
  readonly peerId: string;
  readonly appData: Record<string, unknown>;
  readonly grants: Grants;
  readonly inbox: Inbox;
};

/** One mediasoup object of a peer. */
export type StatsOf =
  | { readonly transportId: string }
  | { readonly producerId: string }
  | { readonly consumerId: string }
  | { readonly dataProducerId: string }
  | { readonly dataConsumerId: string };

/** A mediasoup object of a peer, and its type: `transport`. */
export type Measurable = {
  readonly of: string;
  readonly thing: Measured;
};

/** One user in a room. It owns its transports, and what it sends and receives on them. */
export class Peer implements PeerContext {
  readonly id: string;
  readonly grants: Grants;
  readonly joinedAt = new Date();
  readonly room: RoomContext;
  /** Where its media is, as long as it stays. */
  readonly router: RoomRouter;
  readonly transports: PeerTransports;
  readonly producers: PeerProducers;
  readonly consumers: PeerConsumers;
  readonly messages: PeerMessages;
  /** Whether the peer is notified of the others: from the answer to its `joinRoom` on. */
  announced = false;
  /** Whether its socket is open; without one it stays for a grace time. */
  isConnected = true;
  #appData: Record<string, unknown>;
  #closed = false;

  constructor({ peerId, appData, grants, inbox }: Joining, room: RoomContext, router: RoomRouter) {
    this.id = peerId;
    this.#appData = appData;
    this.grants = grants;
    this.room = room;
    this.router = router;
    router.join(this);
    this.transports = new PeerTransports(this);
    this.producers = new PeerProducers(this, this.transports);
    this.consumers = new PeerConsumers(this, this.transports);
    this.messages = new PeerMessages(this, inbox);
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

  emitOwn(event: RoomEvent): void {
    if (!this.#closed) this.room.emit(event);
  }

  /** @throws RequestError 429 when the peer or the room does it too often. */
  updateAppData(appData: Record<string, unknown>): void {
    this.room.announcements.update(this.id, appData);
    this.#appData = appData;
    this.room.emit({ kind: 'peerUpdated', peer: this });
  }

  /** Marks the peer as having a socket or not. */
  setConnected(isConnected: boolean): void {
    this.isConnected = isConnected;
    this.room.emit({ kind: isConnected ? 'peerResumed' : 'peerDisconnected', peerId: this.id });
  }

  /**
   * mediasoup's statistics of one of the peer's own objects.
   *
   * @throws RequestError 404
   */
  getStats(of: StatsOf): Promise<{ [name: string]: unknown }[]> {
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
    return (measured as Measured).getStats();
  }

  /** Every object of the peer that mediasoup has statistics of, in the order of the ids. */
  get measurable(): Measurable[] {
    const { transports, producers, consumers } = this;
    const all = {
      transport: transports.all,
      producer: producers.media,
      consumer: [...consumers.media].map((consumer) => consumers.measured(consumer)),
      'data producer': producers.data,
      'data consumer': consumers.data,
    };
    return Object.entries<Iterable<Measurable['thing']>>(all)
      .flatMap(([of, things]) => [...things].map((thing) => ({ of, thing })))
      .sort((a, b) => (a.thing.id < b.thing.id ? -1 : 1));
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
