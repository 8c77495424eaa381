import type { Snapshot } from '@mediasoup-server/proto/signaling';
import type { types } from 'mediasoup';
import { RequestError } from '../errors.ts';
import type { Peer } from '../peers/Peer.ts';
import type { Room } from './Room.ts';

/** What a room's peers send: who sends it, and the telling of it to the others. */
export class RoomProducers {
  readonly #room: Room;
  readonly #owners = new Map<string, Peer>();
  readonly #dataOwners = new Map<string, Peer>();

  constructor(room: Room) {
    this.#room = room;
  }

  ownerOf(producerId: string): Peer | undefined {
    return this.#owners.get(producerId);
  }

  dataOwnerOf(dataProducerId: string): Peer | undefined {
    return this.#dataOwners.get(dataProducerId);
  }

  /** What these peers send. */
  of(peers: readonly Peer[]): Pick<Snapshot, 'producers' | 'dataProducers'> {
    return {
      producers: peers.flatMap((owner) =>
        [...owner.producers.media]
          .filter(({ id }) => this.#owners.has(id))
          .map((producer) => describeProducer(owner, producer)),
      ),
      dataProducers: peers.flatMap((owner) =>
        [...owner.producers.data].map((producer) => describeDataProducer(owner, producer)),
      ),
    };
  }

  /** @throws RequestError 404 when it has closed meanwhile. */
  async producerOpened(owner: Peer, producer: types.Producer): Promise<void> {
    if (producer.kind === 'audio') await owner.router.listenTo(producer);
    if (producer.closed) throw new RequestError(404, 'it is closed already');
    this.#owners.set(producer.id, owner);
    this.#room.tellOthers(owner, 'newProducer', describeProducer(owner, producer));
    const { id: producerId, kind, paused, appData } = producer;
    const pausedByCommand = owner.producers.isPausedByCommand(producer);
    const appDataJson = JSON.stringify(appData);
    this.#room.happened({
      case: 'producerOpened',
      value: { peerId: owner.id, producer: { producerId, kind, paused, pausedByCommand, appDataJson } },
    });
  }

  producerClosed(owner: Peer, { id: producerId }: types.Producer): void {
    if (!this.#owners.delete(producerId)) return;
    this.#room.tellOthers(owner, 'producerClosed', { producerId, peerId: owner.id });
    this.#room.happened({ case: 'producerClosed', value: { producerId, peerId: owner.id } });
  }

  dataProducerOpened(owner: Peer, producer: types.DataProducer): void {
    this.#dataOwners.set(producer.id, owner);
    this.#room.tellOthers(owner, 'newDataProducer', describeDataProducer(owner, producer));
    const { id: dataProducerId, label, protocol, appData } = producer;
    const dataProducer = { dataProducerId, label, protocol, appDataJson: JSON.stringify(appData) };
    this.#room.happened({ case: 'dataProducerOpened', value: { peerId: owner.id, dataProducer } });
  }

  dataProducerClosed(owner: Peer, { id: dataProducerId }: types.DataProducer): void {
    if (!this.#dataOwners.delete(dataProducerId)) return;
    this.#room.tellOthers(owner, 'dataProducerClosed', { dataProducerId, peerId: owner.id });
    this.#room.happened({ case: 'dataProducerClosed', value: { peerId: owner.id, dataProducerId } });
  }

  clear(): void {
    this.#owners.clear();
    this.#dataOwners.clear();
  }
}

const describeProducer = (owner: Peer, producer: types.Producer) => ({
  producerId: producer.id,
  kind: producer.kind,
  peerId: owner.id,
  appData: producer.appData,
  paused: producer.paused,
});

const describeDataProducer = (owner: Peer, producer: types.DataProducer) => ({
  dataProducerId: producer.id,
  peerId: owner.id,
  label: producer.label,
  protocol: producer.protocol,
  appData: producer.appData,
});
