import type { types } from 'mediasoup';
import { RequestError } from '../errors.ts';
import type { RoomDataProducer, RoomProducer } from '../rooms/RoomProducers.ts';
import { LayersWanted } from './LayersWanted.ts';
import { LimitedMap } from './LimitedMap.ts';
import { Paced } from './Paced.ts';
import type { PeerContext } from './PeerContext.ts';
import type { PeerTransports } from './PeerTransports.ts';

/** Milliseconds over which key frame requests to one producer are merged, so that a wave of joins asks for few. */
const KEY_FRAME_REQUEST_DELAY_MS = 500;

export type ProduceOptions = {
  readonly kind: types.MediaKind;
  readonly rtpParameters: types.RtpParameters;
  readonly appData?: Record<string, unknown> | undefined;
  /** Must be the send transport, where it is given. */
  readonly transportId?: string | undefined;
  readonly paused?: boolean | undefined;
};

export type ProduceDataOptions = {
  readonly sctpStreamParameters: types.SctpStreamParameters;
  readonly appData?: Record<string, unknown> | undefined;
  readonly transportId?: string | undefined;
  readonly label?: string | undefined;
  readonly protocol?: string | undefined;
};

/** The producers and data producers of a peer. */
export class PeerProducers {
  readonly media: LimitedMap<types.Producer>;
  readonly data: LimitedMap<types.DataProducer>;
  readonly #peer: PeerContext;
  readonly #transports: PeerTransports;
  /** Producers that a backend paused: their owner cannot resume them. */
  readonly #pausedByCommand = new WeakSet<types.Producer>();
  /** Producers that their owner paused: they stay paused when a backend unmutes them. */
  readonly #pausedByOwner = new WeakSet<types.Producer>();
  /** The last pause or resume of each producer: they run one after the other. */
  readonly #flowChanges = new WeakMap<types.Producer, Promise<void>>();
  /** Of the video producers. */
  readonly #layersWanted = new WeakMap<types.Producer, LayersWanted>();
  /** Producers and data producers that a backend closes. */
  readonly #closedByCommand = new Set<string>();

  constructor(peer: PeerContext, transports: PeerTransports) {
    this.#peer = peer;
    this.#transports = transports;
    const { limits } = peer.room;
    this.media = new LimitedMap({
      noun: 'producer',
      limit: limits.maxPeerProducers,
      limitName: 'peerProducers',
      notFound: 'PRODUCER_NOT_FOUND',
    });
    this.data = new LimitedMap({
      noun: 'data producer',
      limit: limits.maxPeerDataProducers,
      limitName: 'peerDataProducers',
      notFound: 'DATA_PRODUCER_NOT_FOUND',
    });
  }

  /**
   * Creates a producer on the send transport and announces it to the room.
   *
   * @throws RequestError 403 without the grant, 404 or 409 for a wrong transport, 409 for a stream in use, 422 for what
   * mediasoup cannot forward, 429 at a limit.
   */
  async produce({ kind, rtpParameters, appData = {}, transportId, paused = false }: ProduceOptions) {
    const { room, grants, id: peerId } = this.#peer;
    if (!grants.publish) throw new RequestError('FORBIDDEN', 'the peer may not publish');
    const transport = this.#transports.forSending(transportId);
    const mutedBy = () => room.mutes.by(peerId, kind);
    refuseUnforwardable(rtpParameters);
    room.announcements.announce(peerId, appData);
    const producer = await this.media.make(
      () =>
        transport.produce({
          kind,
          rtpParameters,
          paused: paused || mutedBy() !== undefined,
          keyFrameRequestDelay: KEY_FRAME_REQUEST_DELAY_MS,
          appData,
        }),
      ({ id }) => this.#producerClosed(id),
    );
    if (paused) this.#pausedByOwner.add(producer);
    await this.#obeyMute(producer, mutedBy());
    if (kind === 'video' && !producer.closed) {
      const emit = (spatialLayer: number) =>
        this.#peer.emitOwn({ kind: 'layersWantedChanged', peerId, producerId: producer.id, spatialLayer });
      this.#layersWanted.set(producer, new LayersWanted(producer, emit));
    }
    const scored = new Paced<types.ProducerScore[]>((scores) =>
      this.#peer.emitOwn({ kind: 'producerScored', peerId, producerId: producer.id, scores }),
    );
    producer.on('score', (scores) => scored.push(scores));
    producer.observer.once('close', () => scored.close());
    if (kind === 'audio') await this.#peer.router.listenTo(producer);
    if (producer.closed) throw new RequestError('ALREADY_CLOSED', 'the producer has closed');
    const announced = this.#roomProducer(producer);
    room.producers.add(announced);
    room.emit({ kind: 'producerOpened', producer: announced });
    return producer;
  }

  /** @throws RequestError 404 */
  async pauseProducer(producerId: string): Promise<void> {
    const producer = this.media.get(producerId);
    this.#pausedByOwner.add(producer);
    await this.#pause(producer);
  }

  /** @throws RequestError 404, 403 while a backend has it paused, 429 when the peer announces too much. */
  async resumeProducer(producerId: string): Promise<void> {
    const producer = this.media.get(producerId);
    if (this.#pausedByCommand.has(producer)) throw new RequestError('PRODUCER_MUTED', 'a backend paused the producer');
    // A pause that is still under way counts as well.
    if (producer.paused || this.#pausedByOwner.has(producer)) this.#peer.room.announcements.announce(this.#peer.id);
    this.#pausedByOwner.delete(producer);
    await this.#resume(producer);
  }

  layersWanted(producer: types.Producer): LayersWanted | undefined {
    return this.#layersWanted.get(producer);
  }

  isPausedByCommand(producer: types.Producer): boolean {
    return this.#pausedByCommand.has(producer);
  }

  /**
   * Pauses a producer on a backend's behalf. Unless the owner may resume it, whatever else the owner sends of its kind
   * starts paused as well. Repeating it changes nothing.
   */
  async pauseByCommand(producerId: string, by: string, mayResume: boolean): Promise<void> {
    const producer = this.media.get(producerId);
    const { kind } = producer;
    if (mayResume) {
      const wasMuted = this.#pausedByCommand.delete(producer);
      if (producer.paused && !wasMuted) return;
      this.#pausedByOwner.add(producer);
      this.#unmute(kind);
    } else {
      if (this.#pausedByCommand.has(producer)) return;
      this.#pausedByCommand.add(producer);
      this.#peer.room.mutes.add(this.#peer.id, kind, by);
    }
    await this.#pause(producer);
    this.#peer.emitOwn({ kind: 'producerMuted', peerId: this.#peer.id, producerId, by, mayResume });
  }

  /** Lets the owner decide again: media flows unless the owner has paused it. Repeating it changes nothing. */
  async resumeByCommand(producerId: string, by: string): Promise<void> {
    const producer = this.media.get(producerId);
    const wasMuted = this.#pausedByCommand.delete(producer);
    this.#unmute(producer.kind);
    if (!wasMuted) return;
    if (!this.#pausedByOwner.has(producer)) await this.#resume(producer);
    this.#peer.emitOwn({ kind: 'producerUnmuted', peerId: this.#peer.id, producerId, by });
  }

  /** Closes a producer, and notifies its owner too. */
  closeByCommand(producerId: string): void {
    this.#closedByCommand.add(producerId);
    this.media.get(producerId).close();
  }

  /** Closes a data producer, and notifies its owner too. */
  closeDataByCommand(dataProducerId: string): void {
    this.#closedByCommand.add(dataProducerId);
    this.data.get(dataProducerId).close();
  }

  /** @throws RequestError 404 */
  closeProducer(producerId: string): void {
    this.media.get(producerId).close();
  }

  /** @throws RequestError 403 without the grant, 404 or 409 for a wrong transport, 409 for a stream in use, 429 at a limit. */
  async produceData(options: ProduceDataOptions): Promise<types.DataProducer> {
    const { sctpStreamParameters, transportId, label = '', protocol = '', appData = {} } = options;
    const { room, router, grants, id: peerId } = this.#peer;
    if (!grants.data) throw new RequestError('FORBIDDEN', 'the peer may not use data channels');
    const transport = this.#transports.forSending(transportId);
    room.announcements.announce(peerId, appData);
    const source = await this.data.make(
      () => transport.produceData({ sctpStreamParameters, label, protocol, appData }),
      ({ id }) => this.#dataProducerClosed(id),
    );
    // mediasoup gives what it was given, and the empty string for what it was not.
    const announced: RoomDataProducer = {
      id: source.id,
      peerId,
      label: source.label,
      protocol: source.protocol,
      appData: source.appData,
      router,
      source,
    };
    room.producers.addData(announced);
    room.emit({ kind: 'dataProducerOpened', dataProducer: announced });
    return source;
  }

  /** @throws RequestError 404 */
  closeDataProducer(dataProducerId: string): void {
    this.data.get(dataProducerId).close();
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

  #roomProducer(source: types.Producer): RoomProducer {
    const pausedByCommand = this.#pausedByCommand;
    return {
      id: source.id,
      kind: source.kind,
      peerId: this.#peer.id,
      appData: source.appData,
      router: this.#peer.router,
      source,
      layersWanted: this.#layersWanted.get(source),
      get paused() {
        return source.paused;
      },
      get pausedByCommand() {
        return pausedByCommand.has(source);
      },
    };
  }

  #producerClosed(producerId: string): void {
    const byCommand = this.#closedByCommand.delete(producerId);
    const producer = this.#peer.room.producers.remove(producerId);
    if (producer) this.#peer.room.emit({ kind: 'producerClosed', producer, byCommand });
  }

  #dataProducerClosed(dataProducerId: string): void {
    const byCommand = this.#closedByCommand.delete(dataProducerId);
    const dataProducer = this.#peer.room.producers.removeData(dataProducerId);
    if (dataProducer) this.#peer.room.emit({ kind: 'dataProducerClosed', dataProducer, byCommand });
  }

  // Events are emitted before the worker is asked, so that a producer's pause comes before that of its consumers.

  #pause(producer: types.Producer): Promise<void> {
    return this.#changeFlow(producer, async () => {
      if (!producer.paused) this.#emitFlow('producerPaused', producer);
      await producer.pause();
    });
  }

  #resume(producer: types.Producer): Promise<void> {
    return this.#changeFlow(producer, async () => {
      if (producer.paused) this.#emitFlow('producerResumed', producer);
      await producer.resume();
    });
  }

  /** `producer.paused` tells only what the worker has answered, so that one change waits for the one before it. */
  #changeFlow(producer: types.Producer, change: () => Promise<void>): Promise<void> {
    const changed = (this.#flowChanges.get(producer) ?? Promise.resolve()).then(change);
    this.#flowChanges.set(
      producer,
      changed.catch(() => {}),
    );
    return changed;
  }

  #emitFlow(kind: 'producerPaused' | 'producerResumed', producer: types.Producer): void {
    this.#peer.room.emit({ kind, producer: this.#roomProducer(producer) });
  }

  /** Pauses or resumes a new producer as a backend wants it, which may have changed while the producer was created. */
  async #obeyMute(producer: types.Producer, by: string | undefined): Promise<void> {
    if (by === undefined) {
      if (producer.paused && !this.#pausedByOwner.has(producer)) await producer.resume();
      return;
    }
    this.#pausedByCommand.add(producer);
    if (!producer.paused) await producer.pause();
    const { id: peerId } = this.#peer;
    // After the answer, which tells the owner the producer's id.
    setImmediate(() =>
      this.#peer.emitOwn({ kind: 'producerMuted', peerId, producerId: producer.id, by, mayResume: false }),
    );
  }

  /** Lets new producers of a kind flow again, unless a backend still has one of that kind paused. */
  #unmute(kind: types.MediaKind): void {
    const isMuted = [...this.media].some((other) => other.kind === kind && this.#pausedByCommand.has(other));
    if (!isMuted) this.#peer.room.mutes.remove(this.#peer.id, kind);
  }
}

/**
 * mediasoup takes several encodings of any codec but forwards simulcast only of VP8 and H264; VP9 and AV1 carry their
 * layers in one encoding with a `scalabilityMode`.
 */
function refuseUnforwardable({ codecs, encodings = [] }: types.RtpParameters): void {
  const mimeType = String(codecs[0]?.mimeType);
  if (encodings.length > 1 && /^video\/(vp9|av1)$/i.test(mimeType)) {
    throw new RequestError(
      'UNSUPPORTED_MEDIA',
      `${mimeType} takes one encoding with a scalabilityMode, such as "L3T3_KEY", and not ${encodings.length} encodings`,
    );
  }
}
