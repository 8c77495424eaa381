import type { RequestData, ResponseData, Snapshot } from '@mediasoup-server/proto/signaling';
import type { types } from 'mediasoup';
import { RequestError } from '../errors.ts';
import type { Happening } from '../rooms/Happening.ts';
import type { Room } from '../rooms/Room.ts';
import { consumerScore } from './consumerScore.ts';
import { consumerStats } from './consumerStats.ts';
import { LimitedMap } from './LimitedMap.ts';
import type { Peer } from './Peer.ts';

/** What mediasoup has statistics of. */
export type Measured = {
  readonly id: string;
  readonly closed: boolean;
  getStats(): Promise<{ [name: string]: unknown }[]>;
};

/** What a peer receives: its consumers and data consumers. */
export class PeerConsumers {
  readonly media: LimitedMap<types.Consumer>;
  readonly data: LimitedMap<types.DataConsumer>;
  readonly #peer: Peer;
  readonly #room: Room;
  /** Of each consumer, its producer, on whichever router that is, and whether its client was last told that media flows. */
  readonly #followed = new WeakMap<types.Consumer, { readonly producer: types.Producer; flowing: boolean }>();

  constructor(peer: Peer, room: Room) {
    this.#peer = peer;
    this.#room = room;
    this.media = new LimitedMap('consumer', room.limits.maxPeerConsumers, 'peerConsumers');
    this.data = new LimitedMap('data consumer', room.limits.maxPeerDataConsumers, 'peerDataConsumers');
  }

  async consume({
    producerId,
    rtpCapabilities,
    paused = true,
  }: RequestData<'consume'>): Promise<ResponseData<'consume'>> {
    if (!this.#peer.grants.subscribe) throw new RequestError(403, 'the peer may not subscribe');
    const owner = this.#room.producers.ownerOf(producerId);
    const producer = owner?.producers.media.find(producerId);
    if (!owner || !producer) throw new RequestError(404, 'there is no such producer in the room');
    if (owner === this.#peer) throw new RequestError(409, 'a peer does not consume its own producer');
    const transport = this.#peer.transports.of('recv');
    const capabilities = rtpCapabilities as types.RtpCapabilities;
    if (!owner.router.canConsume(producerId, capabilities))
      throw new RequestError(422, 'the given rtpCapabilities cannot receive this producer');
    const consumer = await this.media.make(() =>
      this.#room.mesh.receive(producer, owner.router, this.#peer.router, () =>
        transport.consume({ producerId, rtpCapabilities: capabilities, paused }),
      ),
    );
    this.#follow(consumer, owner, producer);
    return {
      consumerId: consumer.id,
      producerId,
      peerId: owner.id,
      kind: consumer.kind,
      rtpParameters: consumer.rtpParameters as unknown as ResponseData<'consume'>['rtpParameters'],
      type: consumer.type,
      appData: producer.appData,
      producerPaused: producer.paused,
    };
  }

  async pause({ consumerId }: RequestData<'pause'>): Promise<void> {
    const consumer = this.media.get(consumerId);
    await consumer.pause();
    this.#tellFlow(consumer);
    void this.#room.mesh.settle(consumer);
  }

  async resume({ consumerId }: RequestData<'resume'>): Promise<void> {
    const consumer = this.media.get(consumerId);
    await consumer.resume();
    await this.#room.mesh.settle(consumer);
    this.#tellFlow(consumer);
  }

  /** A consumer as its statistics are asked: on whichever router its producer is, they are the same. */
  measured(consumer: types.Consumer): Measured {
    const { id, producerId } = consumer;
    const owner = this.#room.producers.ownerOf(producerId);
    const producer = this.#followed.get(consumer)?.producer;
    const isHere = !producer || !owner || owner.router === this.#peer.router;
    return {
      id,
      get closed() {
        return consumer.closed;
      },
      getStats: () => (isHere ? consumer.getStats() : consumerStats(consumer, producer)),
    };
  }

  closeConsumer({ consumerId }: RequestData<'closeConsumer'>): void {
    this.media.get(consumerId).close();
  }

  async setPreferredLayers({
    consumerId,
    spatialLayer,
    temporalLayer,
  }: RequestData<'setPreferredLayers'>): Promise<void> {
    const consumer = this.media.get(consumerId);
    if (consumer.type !== 'simulcast' && consumer.type !== 'svc')
      throw new RequestError(
        409,
        'the consumer has no layers: its producer sends one encoding without a scalabilityMode',
      );
    await consumer.setPreferredLayers({ spatialLayer, ...(temporalLayer !== undefined && { temporalLayer }) });
  }

  async setPriority({ consumerId, priority }: RequestData<'setPriority'>): Promise<void> {
    await this.media.get(consumerId).setPriority(priority);
  }

  async requestKeyFrame({ consumerId }: RequestData<'requestKeyFrame'>): Promise<void> {
    await this.media.get(consumerId).requestKeyFrame();
  }

  async consumeData({ dataProducerId }: RequestData<'consumeData'>): Promise<ResponseData<'consumeData'>> {
    if (!this.#peer.grants.data) throw new RequestError(403, 'the peer may not use data channels');
    const owner = this.#room.producers.dataOwnerOf(dataProducerId);
    const dataProducer = owner?.producers.data.find(dataProducerId);
    if (!owner || !dataProducer) throw new RequestError(404, 'there is no such data producer in the room');
    if (owner === this.#peer) throw new RequestError(409, 'a peer does not consume its own data producer');
    const transport = this.#peer.transports.of('recv');
    const dataConsumer = await this.data.make(() =>
      this.#room.mesh.receive(dataProducer, owner.router, this.#peer.router, () =>
        transport.consumeData({ dataProducerId }),
      ),
    );
    return {
      dataConsumerId: dataConsumer.id,
      dataProducerId,
      peerId: owner.id,
      // Both of them are of SCTP, so the parameters are there.
      sctpStreamParameters: dataConsumer.sctpStreamParameters ?? { streamId: 0 },
      label: dataConsumer.label,
      protocol: dataConsumer.protocol,
      appData: dataProducer.appData,
    };
  }

  closeDataConsumer({ dataConsumerId }: RequestData<'closeDataConsumer'>): void {
    this.data.get(dataConsumerId).close();
  }

  snapshot(): Pick<Snapshot, 'consumers' | 'dataConsumers'> {
    return {
      consumers: [...this.media].map((consumer) => ({
        consumerId: consumer.id,
        producerId: consumer.producerId,
        paused: consumer.paused,
        producerPaused: this.#followed.get(consumer)?.producer.paused ?? consumer.producerPaused,
      })),
      dataConsumers: [...this.data].map(({ id, dataProducerId }) => ({ dataConsumerId: id, dataProducerId })),
    };
  }

  close(): void {
    this.media.close();
    this.data.close();
  }

  /** Lets go of what did not close with its transport. */
  abandon(): void {
    this.media.abandon();
    this.data.abandon();
  }

  #follow(consumer: types.Consumer, owner: Peer, producer: types.Producer): void {
    const { id: consumerId, producerId } = consumer;
    const { id: peerId } = this.#peer;
    const flowing = isFlowing(consumer, producer);
    this.#followed.set(consumer, { producer, flowing });
    this.#room.happened({ case: 'consumerOpened', value: { peerId, consumerId, producerId, paused: !flowing } });
    const tellFlow = () => this.#tellFlow(consumer);
    producer.observer.on('pause', tellFlow).on('resume', tellFlow);
    consumer.observer.once('close', () => {
      producer.observer.off('pause', tellFlow).off('resume', tellFlow);
      this.#room.happened({ case: 'consumerClosed', value: { peerId, consumerId } });
    });
    if (owner.router === this.#peer.router) {
      consumer.on('score', (score) => this.#peer.notify('consumerScore', { consumerId, ...score }));
    } else {
      const tellScore = () => this.#peer.notify('consumerScore', { consumerId, ...consumerScore(consumer, producer) });
      consumer.on('score', tellScore);
      producer.observer.on('score', tellScore);
      consumer.observer.once('close', () => producer.observer.off('score', tellScore));
    }
    consumer.on('layerschange', (layers) =>
      this.#peer.notify('consumerLayersChanged', {
        consumerId,
        spatialLayer: layers?.spatialLayer ?? null,
        temporalLayer: layers?.temporalLayer ?? null,
      }),
    );
  }

  /** `consumerPaused` and `consumerResumed` follow the effective state, whoever caused the change. */
  #tellFlow(consumer: types.Consumer): void {
    const followed = this.#followed.get(consumer);
    if (!followed || consumer.closed) return;
    const flowing = isFlowing(consumer, followed.producer);
    if (flowing === followed.flowing) return;
    followed.flowing = flowing;
    const change = flowing ? 'consumerResumed' : 'consumerPaused';
    const told = { consumerId: consumer.id };
    this.#peer.notify(change, told);
    this.#room.happened({ case: change, value: { peerId: this.#peer.id, ...told } } as Happening);
  }
}

/** Asks the producer itself: `consumer.producerPaused` follows a moment later, and also follows the pause of a pipe. */
const isFlowing = (consumer: types.Consumer, producer: types.Producer): boolean => !consumer.paused && !producer.paused;
