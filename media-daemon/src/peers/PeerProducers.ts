import type { RequestData, ResponseData, Snapshot } from '@mediasoup-server/proto/signaling';
import type { types } from 'mediasoup';
import { RequestError } from '../errors.ts';
import type { Room } from '../rooms/Room.ts';
import { LimitedMap } from './LimitedMap.ts';
import type { Peer } from './Peer.ts';

/** Milliseconds over which key frame requests to one producer are merged, so that a wave of joins asks for few. */
const KEY_FRAME_REQUEST_DELAY_MS = 500;

/** What a peer sends: its producers and data producers. */
export class PeerProducers {
  readonly media: LimitedMap<types.Producer>;
  readonly data: LimitedMap<types.DataProducer>;
  readonly #peer: Peer;
  readonly #room: Room;
  /** Producers that a command has paused: their owner cannot resume them. */
  readonly #pausedByCommand = new WeakSet<types.Producer>();
  /** Producers that their owner has paused: a command that allows them to flow does not make them. */
  readonly #pausedByOwner = new WeakSet<types.Producer>();

  constructor(peer: Peer, room: Room) {
    this.#peer = peer;
    this.#room = room;
    this.media = new LimitedMap('producer', room.limits.maxPeerProducers, 'peerProducers');
    this.data = new LimitedMap('data producer', room.limits.maxPeerDataProducers, 'peerDataProducers');
  }

  async produce({
    kind,
    rtpParameters,
    appData = {},
    transportId,
    paused = false,
  }: RequestData<'produce'>): Promise<ResponseData<'produce'>> {
    if (!this.#peer.grants.publish) throw new RequestError(403, 'the peer may not publish');
    const transport = this.#peer.transports.forSending(transportId);
    const mutedBy = () => this.#room.mutes.by(this.#peer.id, kind);
    const parameters = rtpParameters as unknown as types.RtpParameters;
    refuseUnforwardable(parameters);
    this.#room.announcements.announce(this.#peer.id, appData);
    const producer = await this.media.make(
      () =>
        transport.produce({
          kind,
          rtpParameters: parameters,
          paused: paused || mutedBy() !== undefined,
          keyFrameRequestDelay: KEY_FRAME_REQUEST_DELAY_MS,
          appData,
        }),
      (closed) => this.#room.producers.producerClosed(this.#peer, closed),
    );
    const producerId = producer.id;
    if (paused) this.#pausedByOwner.add(producer);
    await this.#obeyMute(producer, mutedBy());
    producer.on('score', (scores) =>
      this.#peer.notify('producerScore', {
        producerId,
        scores: scores.map(({ ssrc, rid, score }) => ({ ssrc, ...(rid !== undefined && { rid }), score })),
      }),
    );
    await this.#room.producers.producerOpened(this.#peer, producer);
    return { producerId };
  }

  async pauseProducer({ producerId }: RequestData<'pauseProducer'>): Promise<void> {
    const producer = this.media.get(producerId);
    this.#pausedByOwner.add(producer);
    await this.#pause(producer);
  }

  async resumeProducer({ producerId }: RequestData<'resumeProducer'>): Promise<void> {
    const producer = this.media.get(producerId);
    if (this.#pausedByCommand.has(producer)) throw new RequestError(403, 'the producer was paused by the service');
    if (producer.paused) this.#room.announcements.announce(this.#peer.id);
    this.#pausedByOwner.delete(producer);
    await this.#resume(producer);
  }

  isPausedByCommand(producer: types.Producer): boolean {
    return this.#pausedByCommand.has(producer);
  }

  /**
   * Pauses a producer against its owner's will, and what the owner sends of its kind from now on, unless the owner may
   * resume it. Again changes nothing.
   */
  async pauseByCommand(producer: types.Producer, by: string, mayResume: boolean): Promise<void> {
    const { id: producerId, kind } = producer;
    if (mayResume) {
      const wasMuted = this.#pausedByCommand.delete(producer);
      if (producer.paused && !wasMuted) return;
      this.#pausedByOwner.add(producer);
      this.#unmute(kind);
    } else {
      if (this.#pausedByCommand.has(producer)) return;
      this.#pausedByCommand.add(producer);
      this.#room.mutes.add(this.#peer.id, kind, by);
    }
    await this.#pause(producer);
    this.#peer.notify('producerPaused', { producerId, by, mayResume });
  }

  /** Lets the owner decide again; media flows unless the owner has paused it. Again changes nothing. */
  async resumeByCommand(producer: types.Producer, by: string): Promise<void> {
    const wasMuted = this.#pausedByCommand.delete(producer);
    this.#unmute(producer.kind);
    if (!wasMuted) return;
    if (!this.#pausedByOwner.has(producer)) await this.#resume(producer);
    this.#peer.notify('producerResumed', { producerId: producer.id, by });
  }

  // Watchers are told before the worker is, so that they hear of a producer before they hear of its consumers.

  async #pause(producer: types.Producer): Promise<void> {
    const byCommand = this.isPausedByCommand(producer);
    const value = { peerId: this.#peer.id, producerId: producer.id, byCommand };
    if (!producer.paused) this.#room.happened({ case: 'producerPaused', value });
    await producer.pause();
  }

  async #resume(producer: types.Producer): Promise<void> {
    const value = { peerId: this.#peer.id, producerId: producer.id };
    if (producer.paused) this.#room.happened({ case: 'producerResumed', value });
    await producer.resume();
  }

  /** Has a new producer be as a command wants, which may have come while it was made. */
  async #obeyMute(producer: types.Producer, by: string | undefined): Promise<void> {
    if (by === undefined) {
      if (producer.paused && !this.#pausedByOwner.has(producer)) await producer.resume();
      return;
    }
    this.#pausedByCommand.add(producer);
    if (!producer.paused) await producer.pause();
    // After the answer, which tells the owner which producer it is.
    setImmediate(() => this.#peer.notify('producerPaused', { producerId: producer.id, by, mayResume: false }));
  }

  /** What comes of a kind may flow again, unless something of it is paused by a command yet. */
  #unmute(kind: types.MediaKind): void {
    const isMuted = [...this.media].some((other) => other.kind === kind && this.#pausedByCommand.has(other));
    if (!isMuted) this.#room.mutes.remove(this.#peer.id, kind);
  }

  /** Closes a producer, and tells its owner too. */
  closeByCommand(producer: types.Producer): void {
    producer.close();
    this.#peer.notify('producerClosed', { producerId: producer.id, peerId: this.#peer.id });
  }

  /** Closes a data producer, and tells its owner too. */
  closeDataByCommand(dataProducer: types.DataProducer): void {
    dataProducer.close();
    this.#peer.notify('dataProducerClosed', { dataProducerId: dataProducer.id, peerId: this.#peer.id });
  }

  closeProducer({ producerId }: RequestData<'closeProducer'>): void {
    this.media.get(producerId).close();
  }

  async produceData({
    sctpStreamParameters,
    transportId,
    label = '',
    protocol = '',
    appData = {},
  }: RequestData<'produceData'>): Promise<ResponseData<'produceData'>> {
    if (!this.#peer.grants.data) throw new RequestError(403, 'the peer may not use data channels');
    const transport = this.#peer.transports.forSending(transportId);
    this.#room.announcements.announce(this.#peer.id, appData);
    const dataProducer = await this.data.make(
      () =>
        transport.produceData({
          sctpStreamParameters: sctpStreamParameters as types.SctpStreamParameters,
          label,
          protocol,
          appData,
        }),
      (closed) => this.#room.producers.dataProducerClosed(this.#peer, closed),
    );
    this.#room.producers.dataProducerOpened(this.#peer, dataProducer);
    return { dataProducerId: dataProducer.id };
  }

  closeDataProducer({ dataProducerId }: RequestData<'closeDataProducer'>): void {
    this.data.get(dataProducerId).close();
  }

  snapshot(): Pick<Snapshot, 'ownProducers' | 'ownDataProducers'> {
    // Both kinds are on the send transport; where it is gone they are too.
    const transportId = this.#peer.transports.has('send') ? this.#peer.transports.of('send').id : '';
    return {
      ownProducers: [...this.media].map(({ id, rtpParameters: { mid }, kind, appData, paused }) => ({
        producerId: id,
        transportId,
        ...(mid !== undefined && { mid }),
        kind,
        appData,
        paused,
      })),
      ownDataProducers: [...this.data].map(({ id, sctpStreamParameters, label }) => ({
        dataProducerId: id,
        transportId,
        ...(sctpStreamParameters && { streamId: sctpStreamParameters.streamId }),
        label,
      })),
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
}

/**
 * mediasoup takes several encodings of any codec but forwards simulcast only of VP8 and H264; VP9 and AV1 carry their
 * layers in one encoding with a `scalabilityMode`.
 */
function refuseUnforwardable({ codecs, encodings = [] }: types.RtpParameters): void {
  const mimeType = String(codecs[0]?.mimeType);
  if (encodings.length > 1 && /^video\/(vp9|av1)$/i.test(mimeType)) {
    throw new RequestError(
      422,
      `${mimeType} takes one encoding with a scalabilityMode, such as "L3T3_KEY", and not ${encodings.length} encodings`,
    );
  }
}
