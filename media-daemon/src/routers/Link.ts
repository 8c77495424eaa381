import type { types } from 'mediasoup';
import type { RoomRouter } from './RoomRouter.ts';

/** What a link can carry: something that a peer sends. */
export type Sent = types.Producer | types.DataProducer;

export type MediaEnds = { readonly near: types.Consumer; readonly far: types.Producer };

/** The consumer on the router of what is carried, and the producer of the same id on the other router. */
export type PipeEnds = MediaEnds | { readonly near: types.DataConsumer; readonly far: types.DataProducer };

/** Two ends that give each other producers. Each end is on a router of the room. */
export type Link = {
  readonly closed: boolean;
  /** Whether its ends are on these routers, or one of them on `a` where both are the same. */
  joins(a: RoomRouter, b: RoomRouter): boolean;
  /**
   * Carries a producer or data producer to the other end.
   *
   * @throws what mediasoup throws when a router or the producer has closed.
   */
  carry(sent: Sent, from: RoomRouter): Promise<PipeEnds>;
  /** Closes it and every pipe over it. */
  close(): void;
};
