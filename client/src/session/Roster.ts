import type { NotificationData, Snapshot } from '@mediasoup-server/proto/signaling';
import { TypedEmitter } from '../events.ts';

export type ProducerInfo = NotificationData<'newProducer'>;
export type PeerInfo = NotificationData<'peerJoined'>;

export interface RosterEvents {
  peerJoined: [peerId: string, appData: Record<string, unknown>];
  peerUpdated: [peerId: string, appData: Record<string, unknown>];
  peerLeft: [peerId: string];
  producerOpened: [producer: ProducerInfo];
  producerClosed: [producerId: string];
  /** The active speaker or the audio levels have changed. */
  speakersChanged: [];
}

/** The other peers of the room at one daemon, their producers and who speaks. */
export class Roster extends TypedEmitter<RosterEvents> {
  readonly #peers = new Map<string, Record<string, unknown>>();
  readonly #producers = new Map<string, ProducerInfo>();
  #activeSpeaker: string | undefined;
  #audioLevels: ReadonlyMap<string, number> = new Map();

  constructor(peers: readonly PeerInfo[]) {
    super();
    for (const { peerId, appData } of peers) this.#peers.set(peerId, appData);
  }

  get peers(): ReadonlyMap<string, Record<string, unknown>> {
    return this.#peers;
  }

  get activeSpeaker(): string | undefined {
    return this.#activeSpeaker;
  }

  get audioLevels(): ReadonlyMap<string, number> {
    return this.#audioLevels;
  }

  setPeer({ peerId, appData }: PeerInfo): void {
    const known = this.#peers.get(peerId);
    this.#peers.set(peerId, appData);
    if (!known) this.emit('peerJoined', peerId, appData);
    else if (JSON.stringify(known) !== JSON.stringify(appData)) this.emit('peerUpdated', peerId, appData);
  }

  removePeer(peerId: string): void {
    if (this.#peers.delete(peerId)) this.emit('peerLeft', peerId);
  }

  addProducer(producer: ProducerInfo): void {
    if (this.#producers.has(producer.producerId)) return;
    this.#producers.set(producer.producerId, producer);
    this.emit('producerOpened', producer);
  }

  removeProducer(producerId: string): void {
    if (this.#producers.delete(producerId)) this.emit('producerClosed', producerId);
  }

  setActiveSpeaker(peerId: string | undefined): void {
    this.#activeSpeaker = peerId;
    this.emit('speakersChanged');
  }

  setAudioLevels(levels: Snapshot['audioLevels']): void {
    this.#audioLevels = new Map(levels.map(({ peerId, volume }) => [peerId, volume]));
    this.emit('speakersChanged');
  }

  /** Applies the snapshot of a resumed session, and emits what happened while there was no socket. */
  reconcile(peers: readonly PeerInfo[], { producers, activeSpeaker, audioLevels }: Snapshot): void {
    const producerIds = new Set(producers.map(({ producerId }) => producerId));
    for (const producerId of [...this.#producers.keys()])
      if (!producerIds.has(producerId)) this.removeProducer(producerId);
    const present = new Set(peers.map(({ peerId }) => peerId));
    for (const peerId of [...this.#peers.keys()]) if (!present.has(peerId)) this.removePeer(peerId);
    for (const peer of peers) this.setPeer(peer);
    for (const producer of producers) this.addProducer(producer);
    this.setActiveSpeaker(activeSpeaker ?? undefined);
    this.setAudioLevels(audioLevels);
  }
}
