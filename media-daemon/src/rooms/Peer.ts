import type {
  Notification,
  NotificationData,
  RequestData,
  ResponseData,
  TransportOptions,
} from '@mediasoup-server/proto/signaling';
import type { types } from 'mediasoup';
import { RequestError } from '../errors.ts';
import type { Room } from './Room.ts';

/** Tells a peer's client something. It never throws: whether the client still listens is not the room's concern. */
export type Notify = <N extends Notification>(method: N, data: NotificationData<N>) => void;

type Direction = 'send' | 'recv';

/** A consumer, and whether its client was last told that it flows. */
type PeerConsumer = { readonly consumer: types.Consumer; flowing: boolean };

/** The bit rate that a receive transport starts from, in bits a second; more makes the prober flood slow networks. */
const INITIAL_OUTGOING_BITRATE = 1_000_000;

/** Milliseconds over which key frame requests to one producer are merged, so that a wave of joins asks for few. */
const KEY_FRAME_REQUEST_DELAY_MS = 500;

/** One user in a room: the owner of its transports, producers and consumers, which all end with it. */
export class Peer {
  readonly id: string;
  readonly appData: Record<string, unknown>;
  readonly joinedAt = new Date();
  readonly notify: Notify;
  /** Whether the peer is told of the others: from the answer to its `joinRoom` on. */
  hears = false;
  readonly producers = new Map<string, types.Producer>();
  readonly #room: Room;
  readonly #transports = new Map<Direction, types.WebRtcTransport>();
  readonly #making = new Set<Direction>();
  readonly #connecting = new Set<string>();
  readonly #consumers = new Map<string, PeerConsumer>();
  #closed = false;

  constructor(id: string, appData: Record<string, unknown>, room: Room, notify: Notify) {
    this.id = id;
    this.appData = appData;
    this.notify = notify;
    this.#room = room;
  }

  get closed(): boolean {
    return this.#closed;
  }

  get consumerCount(): number {
    return this.#consumers.size;
  }

  /** Closes the peer's transports, and with them its producers and consumers. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const transport of this.#transports.values()) transport.close();
  }

  async createWebRtcTransport({
    direction,
    forceTcp = false,
  }: RequestData<'createWebRtcTransport'>): Promise<TransportOptions> {
    if (this.#transports.has(direction) || this.#making.has(direction)) {
      throw new RequestError(409, `the peer has a ${direction} transport already`);
    }
    this.#making.add(direction);
    try {
      const transport = await this.#room.createTransport({
        enableUdp: !forceTcp,
        enableTcp: true,
        preferUdp: !forceTcp,
        initialAvailableOutgoingBitrate: INITIAL_OUTGOING_BITRATE,
      });
      this.#closeUnlessHere(transport);
      this.#transports.set(direction, transport);
      transport.observer.once('close', () => {
        this.#transports.delete(direction);
        if (!this.#closed) this.notify('transportClosed', { transportId: transport.id });
      });
      return {
        transportId: transport.id,
        iceParameters: transport.iceParameters,
        iceCandidates: transport.iceCandidates,
        dtlsParameters: transport.dtlsParameters,
      };
    } finally {
      this.#making.delete(direction);
    }
  }

  async connectWebRtcTransport({ transportId, dtlsParameters }: RequestData<'connectWebRtcTransport'>): Promise<void> {
    const transport = this.#transport(transportId);
    // A second `connect` would be refused by mediasoup with an error that tells the client nothing.
    if (this.#connecting.has(transportId)) throw new RequestError(409, 'the transport is connected already');
    this.#connecting.add(transportId);
    try {
      await transport.connect({ dtlsParameters: dtlsParameters as types.DtlsParameters });
    } catch (error) {
      this.#connecting.delete(transportId);
      throw error;
    }
  }

  async restartIce({ transportId }: RequestData<'restartIce'>): Promise<ResponseData<'restartIce'>> {
    return { iceParameters: await this.#transport(transportId).restartIce() };
  }

  async produce({
    kind,
    rtpParameters,
    appData = {},
    transportId,
    paused = false,
  }: RequestData<'produce'>): Promise<ResponseData<'produce'>> {
    const transport = transportId === undefined ? this.#transports.get('send') : this.#transport(transportId);
    if (!transport)
      throw new RequestError(409, 'the peer has no send transport: ask for one with createWebRtcTransport');
    if (transport !== this.#transports.get('send'))
      throw new RequestError(409, 'the transport is not the send transport');
    const producer = await transport.produce({
      kind,
      rtpParameters: rtpParameters as unknown as types.RtpParameters,
      paused,
      keyFrameRequestDelay: KEY_FRAME_REQUEST_DELAY_MS,
      appData: { ...appData },
    });
    this.#closeUnlessHere(producer);
    this.producers.set(producer.id, producer);
    producer.observer.once('close', () => {
      this.producers.delete(producer.id);
      this.#room.producerClosed(this, producer);
    });
    this.#room.producerOpened(this, producer);
    return { producerId: producer.id };
  }

  closeProducer({ producerId }: RequestData<'closeProducer'>): void {
    this.#producer(producerId).close();
  }

  async pauseProducer({ producerId }: RequestData<'pauseProducer'>): Promise<void> {
    await this.#producer(producerId).pause();
  }

  async resumeProducer({ producerId }: RequestData<'resumeProducer'>): Promise<void> {
    await this.#producer(producerId).resume();
  }

  async consume({
    producerId,
    rtpCapabilities,
    paused = true,
  }: RequestData<'consume'>): Promise<ResponseData<'consume'>> {
    const owner = this.#room.ownerOf(producerId);
    if (!owner) throw new RequestError(404, 'there is no such producer in the room');
    if (owner === this) throw new RequestError(409, 'a peer does not consume its own producer');
    const transport = this.#transports.get('recv');
    if (!transport)
      throw new RequestError(409, 'the peer has no receive transport: ask for one with createWebRtcTransport');
    const capabilities = rtpCapabilities as types.RtpCapabilities;
    if (!this.#room.canConsume(producerId, capabilities)) {
      throw new RequestError(422, 'the given rtpCapabilities cannot receive this producer');
    }
    const consumer = await transport.consume({ producerId, rtpCapabilities: capabilities, paused });
    this.#closeUnlessHere(consumer);
    this.#adopt(consumer);
    return {
      consumerId: consumer.id,
      producerId,
      peerId: owner.id,
      kind: consumer.kind,
      rtpParameters: consumer.rtpParameters as unknown as ResponseData<'consume'>['rtpParameters'],
      type: consumer.type,
      appData: owner.producers.get(producerId)?.appData ?? {},
      producerPaused: consumer.producerPaused,
    };
  }

  async pause({ consumerId }: RequestData<'pause'>): Promise<void> {
    const own = this.#consumer(consumerId);
    await own.consumer.pause();
    this.#tellFlow(own);
  }

  async resume({ consumerId }: RequestData<'resume'>): Promise<void> {
    const own = this.#consumer(consumerId);
    await own.consumer.resume();
    this.#tellFlow(own);
  }

  closeConsumer({ consumerId }: RequestData<'closeConsumer'>): void {
    this.#consumer(consumerId).consumer.close();
  }

  #adopt(consumer: types.Consumer): void {
    const own: PeerConsumer = { consumer, flowing: !consumer.paused && !consumer.producerPaused };
    this.#consumers.set(consumer.id, own);
    consumer.on('producerpause', () => this.#tellFlow(own));
    consumer.on('producerresume', () => this.#tellFlow(own));
    consumer.observer.once('close', () => this.#consumers.delete(consumer.id));
  }

  /** `consumerPaused` and `consumerResumed` follow the effective state, whoever caused the change. */
  #tellFlow(own: PeerConsumer): void {
    const flowing = !own.consumer.paused && !own.consumer.producerPaused;
    if (flowing === own.flowing || own.consumer.closed) return;
    own.flowing = flowing;
    this.notify(flowing ? 'consumerResumed' : 'consumerPaused', { consumerId: own.consumer.id });
  }

  /** The peer may leave while mediasoup makes something for it; what was made would then belong to nobody. */
  #closeUnlessHere(made: { close(): void }): void {
    if (!this.#closed) return;
    made.close();
    throw new RequestError(409, 'the peer has left');
  }

  #transport(transportId: string): types.WebRtcTransport {
    for (const transport of this.#transports.values()) if (transport.id === transportId) return transport;
    throw new RequestError(404, 'the peer has no such transport');
  }

  #producer(producerId: string): types.Producer {
    const producer = this.producers.get(producerId);
    if (!producer) throw new RequestError(404, 'the peer has no such producer');
    return producer;
  }

  #consumer(consumerId: string): PeerConsumer {
    const own = this.#consumers.get(consumerId);
    if (!own) throw new RequestError(404, 'the peer has no such consumer');
    return own;
  }
}
