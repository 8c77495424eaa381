import type { types } from 'mediasoup';
import { RequestError } from '../errors.ts';
import type { LayersWanted } from '../peers/LayersWanted.ts';
import type { RoomRouter } from '../routers/RoomRouter.ts';

type Source<T> = {
  readonly id: string;
  readonly peerId: string;
  readonly appData: Record<string, unknown>;
  /** Where it is received from; consumers on other routers of the room get it over a pipe. */
  readonly router: RoomRouter;
  /** The mediasoup producer on that router. */
  readonly source: T;
};

/** A producer that peers of the room can consume. */
export type RoomProducer = Source<types.Producer> & {
  readonly kind: types.MediaKind;
  readonly paused: boolean;
  /** A backend paused it, and its owner cannot resume it. */
  readonly pausedByCommand: boolean;
  /** Of video: the layers that the room's consumers want. */
  readonly layersWanted: LayersWanted | undefined;
};

/** A data producer that peers of the room can consume. */
export type RoomDataProducer = Source<types.DataProducer> & { readonly label: string; readonly protocol: string };

/** Every producer and data producer of a room, by id. Who sends it need not be a peer of this daemon. */
export class RoomProducers {
  readonly #media = new Map<string, RoomProducer>();
  readonly #data = new Map<string, RoomDataProducer>();

  add(producer: RoomProducer): void {
    this.#media.set(producer.id, producer);
  }

  addData(dataProducer: RoomDataProducer): void {
    this.#data.set(dataProducer.id, dataProducer);
  }

  find(producerId: string): RoomProducer | undefined {
    return this.#media.get(producerId);
  }

  findData(dataProducerId: string): RoomDataProducer | undefined {
    return this.#data.get(dataProducerId);
  }

  /** @throws RequestError 404 */
  get(producerId: string): RoomProducer {
    const producer = this.#media.get(producerId);
    if (!producer) throw new RequestError('PRODUCER_NOT_FOUND', 'there is no such producer in the room');
    return producer;
  }

  /** @throws RequestError 404 */
  getData(dataProducerId: string): RoomDataProducer {
    const dataProducer = this.#data.get(dataProducerId);
    if (!dataProducer) throw new RequestError('DATA_PRODUCER_NOT_FOUND', 'there is no such data producer in the room');
    return dataProducer;
  }

  /** The producers of these peers, in the order of the peers. */
  of(peerIds: readonly string[]): { producers: RoomProducer[]; dataProducers: RoomDataProducer[] } {
    const media = Map.groupBy(this.#media.values(), ({ peerId }) => peerId);
    const data = Map.groupBy(this.#data.values(), ({ peerId }) => peerId);
    return {
      producers: peerIds.flatMap((peerId) => media.get(peerId) ?? []),
      dataProducers: peerIds.flatMap((peerId) => data.get(peerId) ?? []),
    };
  }

  /** @returns what was removed. */
  remove(producerId: string): RoomProducer | undefined {
    const producer = this.#media.get(producerId);
    this.#media.delete(producerId);
    return producer;
  }

  /** @returns what was removed. */
  removeData(dataProducerId: string): RoomDataProducer | undefined {
    const dataProducer = this.#data.get(dataProducerId);
    this.#data.delete(dataProducerId);
    return dataProducer;
  }

  clear(): void {
    this.#media.clear();
    this.#data.clear();
  }
}
