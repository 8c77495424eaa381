import type { types } from 'mediasoup';
import type { RoomDataProducer, RoomProducer } from './RoomProducers.ts';

/** Why a room closed. */
export type RoomEnd = 'empty' | 'unjoined' | 'command' | 'worker' | 'fenced' | 'shutdown' | 'moved';

/** Why peers are asked to move: the daemon is draining, or it is fenced and another daemon serves the room. */
export type MoveReason = 'drain' | 'fenced';

/** A peer as others in the room see it. */
export type RoomPeer = { readonly id: string; readonly appData: Record<string, unknown> };

/** Why a peer left. */
export type Leave =
  | { readonly kind: 'left' }
  /** Its socket was lost and no other socket resumed the session in time. */
  | { readonly kind: 'lost' }
  /** A backend removed it. */
  | { readonly kind: 'kicked'; readonly reason: string }
  /** The same peer joined over another connection. */
  | { readonly kind: 'replaced' }
  /** Its media worker died; the rest of the room goes on. */
  | { readonly kind: 'workerDied' }
  | { readonly kind: 'roomClosed'; readonly end: RoomEnd; readonly reason: string };

/** The volume of a peer that speaks, in dBov. */
export type PeerLevel = { readonly peerId: string; readonly volume: number };

/** What a peer sees of the others in its room. */
export type RoomView = {
  readonly producers: readonly RoomProducer[];
  readonly dataProducers: readonly RoomDataProducer[];
  readonly activeSpeaker: string | null;
  readonly audioLevels: readonly PeerLevel[];
};

type OfPeer = { readonly peerId: string };
type OfProducer = OfPeer & { readonly producerId: string };
type OfConsumer = OfPeer & { readonly consumerId: string };

/**
 * Something that happened in a room. The room emits each fact once; `signaling/notices.ts` says which peers are notified
 * of it, and `commands/watchedEvents.ts` what backends hear.
 */
export type RoomEvent =
  | { readonly kind: 'roomCreated' }
  /** Another daemon serves the room. Backends see it end here; its peers stay until they have moved. */
  | { readonly kind: 'roomHandedOff'; readonly end: RoomEnd; readonly peerIds: readonly string[] }
  | { readonly kind: 'roomClosed'; readonly end: RoomEnd }
  /** The room's worker died and no other worker could take the room. */
  | { readonly kind: 'roomNotRebuilt' }
  | { readonly kind: 'peerJoined'; readonly peer: RoomPeer }
  /** The peer has the answer to its joinRoom, so that others are announced to it from now on. */
  | { readonly kind: 'peerReady'; readonly peer: RoomPeer; readonly view: RoomView }
  | { readonly kind: 'peerUpdated'; readonly peer: RoomPeer }
  | ({ readonly kind: 'peerDisconnected' } & OfPeer)
  | ({ readonly kind: 'peerResumed' } & OfPeer)
  | { readonly kind: 'peerLeft'; readonly peer: RoomPeer; readonly leave: Leave }
  | {
      readonly kind: 'moveRequested';
      readonly peerIds: readonly string[];
      readonly reason: MoveReason;
      readonly deadlineMs: number;
    }
  | { readonly kind: 'producerOpened'; readonly producer: RoomProducer }
  | { readonly kind: 'producerClosed'; readonly producer: RoomProducer; readonly byCommand: boolean }
  | { readonly kind: 'producerPaused'; readonly producer: RoomProducer }
  | { readonly kind: 'producerResumed'; readonly producer: RoomProducer }
  /** A backend paused the producer. */
  | ({ readonly kind: 'producerMuted'; readonly by: string; readonly mayResume: boolean } & OfProducer)
  | ({ readonly kind: 'producerUnmuted'; readonly by: string } & OfProducer)
  | ({ readonly kind: 'producerScored'; readonly scores: readonly types.ProducerScore[] } & OfProducer)
  /** The highest spatial layer that any consumer wants changed; -1: none. */
  | ({ readonly kind: 'layersWantedChanged'; readonly spatialLayer: number } & OfProducer)
  | { readonly kind: 'dataProducerOpened'; readonly dataProducer: RoomDataProducer }
  | { readonly kind: 'dataProducerClosed'; readonly dataProducer: RoomDataProducer; readonly byCommand: boolean }
  | ({ readonly kind: 'consumerOpened'; readonly producerId: string; readonly paused: boolean } & OfConsumer)
  | ({ readonly kind: 'consumerClosed' } & OfConsumer)
  /** Media stopped or flows again, whoever paused or resumed: the peer itself, the producer's owner, or a backend. */
  | ({ readonly kind: 'consumerPaused' } & OfConsumer)
  | ({ readonly kind: 'consumerResumed' } & OfConsumer)
  | ({ readonly kind: 'consumerScored'; readonly score: types.ConsumerScore } & OfConsumer)
  | ({ readonly kind: 'consumerLayersChanged'; readonly layers: types.ConsumerLayers | undefined } & OfConsumer)
  | ({ readonly kind: 'transportClosed'; readonly transportId: string } & OfPeer)
  | { readonly kind: 'activeSpeakerChanged'; readonly peerId: string | null }
  | { readonly kind: 'audioLevelsChanged'; readonly levels: readonly PeerLevel[] }
  /** A backend sends data to peers. */
  | {
      readonly kind: 'backendMessage';
      readonly peerIds: readonly string[];
      readonly from: string;
      readonly data: unknown;
    };
