import type { types } from 'mediasoup';
import { RequestError } from '../errors.ts';
import type { RoomDataProducer, RoomProducer } from '../rooms/RoomProducers.ts';
import { consumerScore } from './consumerScore.ts';
import { consumerStats } from './consumerStats.ts';
import { LimitedMap } from './LimitedMap.ts';
import { Paced } from './Paced.ts';
import type { PeerContext } from './PeerContext.ts';
import type { PeerTransports } from './PeerTransports.ts';

/** A mediasoup object that has statistics. */
export type Measured = {
  readonly id: string;
  readonly closed: boolean;
  getStats(): Promise<{ [name: string]: unknown }[]>;
};

export type ConsumeOptions = {
  readonly producerId: string;
  readonly rtpCapabilities: types.RtpCapabilities;
  readonly paused?: boolean | undefined;
};

/** A consumer's producer, and whether the peer was last notified that media flows. */
type Followed = { readonly producer: RoomProducer; flowing: boolean };

/** The consumers and data consumers of a peer. */
export class PeerConsumers {
  readonly media: LimitedMap<types.Consumer>;
  readonly data: LimitedMap<types.DataConsumer>;
  readonly #peer: PeerContext;
  readonly #transports: PeerTransports;
  readonly #followed = new WeakMap<types.Consumer, Followed>();

  constructor(peer: PeerContext, transports: PeerTransports) {
    this.#peer = peer;
    this.#transports = transports;
    const { limits } = peer.room;
    this.media = new LimitedMap({
      noun: 'consumer',
      limit: limits.maxPeerConsumers,
      limitName: 'peerConsumers',
      notFound: 'CONSUMER_NOT_FOUND',
    });
    this.data = new LimitedMap({
      noun: 'data consumer',
      limit: limits.maxPeerDataConsumers,
      limitName: 'peerDataConsumers',
      notFound: 'DATA_CONSUMER_NOT_FOUND',
    });
  }

  /**
   * Creates a consumer of another peer's producer on the receive transport.
   *
   * @throws RequestError 403 without the grant, 404, 409 for an own producer or without a receive transport, 422 when the
   * capabilities do not fit, 429 at a limit.
   */
  async consume({
    producerId,
    rtpCapabilities,
    paused = true,
  }: ConsumeOptions): Promise<{ consumer: types.Consumer; producer: RoomProducer }> {
    const { room, grants, id: peerId, router } = this.#peer;
    if (!grants.subscribe) throw new RequestError('FORBIDDEN', 'the peer may not subscribe');
    const producer = room.producers.get(producerId);
    if (producer.peerId === peerId) throw new RequestError('OWN_PRODUCER', 'a peer does not consume its own producer');
    const transport = this.#transports.of('recv');
    const { source } = producer;
    if (!producer.router.canConsume(source.id, rtpCapabilities))
      throw new RequestError('CANNOT_CONSUME', 'the given rtpCapabilities cannot receive this producer');
    const consumer = await this.media.make(() =>
      room.mesh.receive(source, producer.router, router, () =>
        transport.consume({ producerId: source.id, rtpCapabilities, paused }),
      ),
    );
    this.#follow(consumer, producer);
    return { consumer, producer };
  }

  /** @throws RequestError 404 */
  async pauseConsumer(consumerId: string): Promise<void> {
    const consumer = this.media.get(consumerId);
    await consumer.pause();
    this.#updateLayersWanted(consumer);
    this.#emitFlow(consumer);
    void this.#peer.room.mesh.settle(consumer);
  }

  /** @throws RequestError 404 */
  async resumeConsumer(consumerId: string): Promise<void> {
    const consumer = this.media.get(consumerId);
    await consumer.resume();
    this.#updateLayersWanted(consumer);
    await this.#peer.room.mesh.settle(consumer);
    this.#emitFlow(consumer);
  }

  /** The producer that a consumer of this peer receives. */
  producerOf(consumer: types.Consumer): RoomProducer | undefined {
    return this.#followed.get(consumer)?.producer;
  }

  /** A consumer as its statistics are read: the same whether its producer is on this router or on another. */
  measured(consumer: types.Consumer): Measured {
    const { id } = consumer;
    const producer = this.producerOf(consumer);
    const isHere = !producer || producer.source.closed || producer.router === this.#peer.router;
    return {
      id,
      get closed() {
        return consumer.closed;
      },
      getStats: () => (isHere ? consumer.getStats() : consumerStats(consumer, producer.source)),
    };
  }

  /** @throws RequestError 404 */
  closeConsumer(consumerId: string): void {
    this.media.get(consumerId).close();
  }

  /** @throws RequestError 404, 409 for a consumer without layers. */
  async setPreferredLayers(consumerId: string, layers: types.ConsumerLayers): Promise<void> {
    const consumer = this.media.get(consumerId);
    if (consumer.type !== 'simulcast' && consumer.type !== 'svc')
      throw new RequestError(
        'NO_LAYERS',
        'the consumer has no layers: its producer sends one encoding without a scalabilityMode',
      );
    await consumer.setPreferredLayers(layers);
    this.#updateLayersWanted(consumer);
  }

  /** @throws RequestError 404 */
  async setPriority(consumerId: string, priority: number): Promise<void> {
    await this.media.get(consumerId).setPriority(priority);
  }

  /** @throws RequestError 404 */
  async requestKeyFrame(consumerId: string): Promise<void> {
    await this.media.get(consumerId).requestKeyFrame();
  }

  /**
   * Creates a data consumer of another peer's data producer on the receive transport.
   *
   * @throws RequestError 403 without the grant, 404, 409 for an own data producer or without a receive transport, 429 at a
   * limit.
   */
  async consumeData(
    dataProducerId: string,
  ): Promise<{ dataConsumer: types.DataConsumer; dataProducer: RoomDataProducer }> {
    const { room, grants, id: peerId, router } = this.#peer;
    if (!grants.data) throw new RequestError('FORBIDDEN', 'the peer may not use data channels');
    const dataProducer = room.producers.getData(dataProducerId);
    if (dataProducer.peerId === peerId)
      throw new RequestError('OWN_PRODUCER', 'a peer does not consume its own data producer');
    const transport = this.#transports.of('recv');
    const { source } = dataProducer;
    const dataConsumer = await this.data.make(() =>
      room.mesh.receive(source, dataProducer.router, router, () =>
        transport.consumeData({ dataProducerId: source.id }),
      ),
    );
    return { dataConsumer, dataProducer };
  }

  /** @throws RequestError 404 */
  closeDataConsumer(dataConsumerId: string): void {
    this.data.get(dataConsumerId).close();
  }

  /** Takes nothing more; what is open closes with the peer's transports. */
  close(): void {
    this.media.close();
    this.data.close();
  }

  /** Closes what did not close with its transport. */
  abandon(): void {
    this.media.abandon();
    this.data.abandon();
  }

  #follow(consumer: types.Consumer, producer: RoomProducer): void {
    const { room, router, id: peerId } = this.#peer;
    const { id: consumerId } = consumer;
    const { source } = producer;
    const flowing = isFlowing(consumer, producer);
    this.#followed.set(consumer, { producer, flowing });
    room.emit({ kind: 'consumerOpened', peerId, consumerId, producerId: producer.id, paused: !flowing });
    this.#updateLayersWanted(consumer);
    const emitFlow = () => this.#emitFlow(consumer);
    source.observer.on('pause', emitFlow).on('resume', emitFlow);
    consumer.observer.once('close', () => {
      source.observer.off('pause', emitFlow).off('resume', emitFlow);
      producer.layersWanted?.remove(consumer);
      room.emit({ kind: 'consumerClosed', peerId, consumerId });
    });
    const scores = new Paced<types.ConsumerScore>((score) =>
      this.#peer.emitOwn({ kind: 'consumerScored', peerId, consumerId, score }),
    );
    if (producer.router === router) consumer.on('score', (score) => scores.push(score));
    else {
      const emitPipedScore = () => scores.push(consumerScore(consumer, source));
      consumer.on('score', emitPipedScore);
      source.observer.on('score', emitPipedScore);
      consumer.observer.once('close', () => source.observer.off('score', emitPipedScore));
    }
    const changes = new Paced<types.ConsumerLayers | undefined>((layers) =>
      this.#peer.emitOwn({ kind: 'consumerLayersChanged', peerId, consumerId, layers }),
    );
    consumer.on('layerschange', (layers) => changes.push(layers));
    consumer.observer.once('close', () => {
      scores.close();
      changes.close();
    });
  }

  #updateLayersWanted(consumer: types.Consumer): void {
    this.producerOf(consumer)?.layersWanted?.update(consumer);
  }

  /** Emits `consumerPaused` or `consumerResumed` when media stops or flows again, whoever caused it. */
  #emitFlow(consumer: types.Consumer): void {
    const followed = this.#followed.get(consumer);
    if (!followed || consumer.closed) return;
    const flowing = isFlowing(consumer, followed.producer);
    if (flowing === followed.flowing) return;
    followed.flowing = flowing;
    const kind = flowing ? 'consumerResumed' : 'consumerPaused';
    this.#peer.room.emit({ kind, peerId: this.#peer.id, consumerId: consumer.id });
  }
}

/** Asks the producer itself: `consumer.producerPaused` follows a moment later, and also follows the pause of a pipe. */
const isFlowing = (consumer: types.Consumer, producer: RoomProducer): boolean => !consumer.paused && !producer.paused;
