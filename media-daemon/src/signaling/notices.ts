import type { Notification, NotificationData } from '@mediasoup-server/proto/signaling';
import { RequestError } from '../errors.ts';
import type { Leave, PeerLevel, RoomEvent, RoomPeer } from '../rooms/RoomEvent.ts';
import { describeDataProducer, describeError, describeProducer } from './wireShapes.ts';

/** The peers that a notification goes to. */
export type Audience =
  /** Every peer that is announced to. */
  | { readonly kind: 'all' }
  /** All but one. */
  | { readonly kind: 'others'; readonly than: string }
  /** This peer, by its object: another peer may have taken its id. */
  | { readonly kind: 'peer'; readonly peer: RoomPeer }
  /** Those of these that are in the room. */
  | { readonly kind: 'peers'; readonly peerIds: readonly string[] };

type Named = { [N in Notification]: { readonly method: N; readonly data: NotificationData<N> } }[Notification];

/** A notification and who gets it. */
export type Notice = Named & { readonly to: Audience };

const all: Audience = { kind: 'all' };
const others = (than: string): Audience => ({ kind: 'others', than });
const one = (peerId: string): Audience => ({ kind: 'peers', peerIds: [peerId] });

/** What peers are notified of when something happens in their room. */
export function noticesOf(event: RoomEvent): Notice[] {
  switch (event.kind) {
    case 'peerJoined':
      return [{ to: others(event.peer.id), method: 'peerJoined', data: describePeer(event.peer) }];
    case 'peerUpdated':
      return [{ to: others(event.peer.id), method: 'peerUpdated', data: describePeer(event.peer) }];
    case 'peerReady':
      return introductionOf(event);
    case 'peerLeft':
      return farewellOf(event.peer, event.leave);
    case 'moveRequested': {
      const { peerIds, reason, deadlineMs } = event;
      return [{ to: { kind: 'peers', peerIds }, method: 'reconnect', data: { reason, deadlineMs } }];
    }
    case 'producerOpened': {
      const { producer } = event;
      return [{ to: others(producer.peerId), method: 'newProducer', data: describeProducer(producer) }];
    }
    case 'producerClosed': {
      const { id: producerId, peerId } = event.producer;
      const notice = { method: 'producerClosed', data: { producerId, peerId } } as const;
      return audiencesOf(peerId, event.byCommand).map((to) => ({ to, ...notice }));
    }
    case 'producerMuted': {
      const { peerId, producerId, by, mayResume } = event;
      return [{ to: one(peerId), method: 'producerPaused', data: { producerId, by, mayResume } }];
    }
    case 'producerUnmuted':
      return [
        { to: one(event.peerId), method: 'producerResumed', data: { producerId: event.producerId, by: event.by } },
      ];
    case 'producerScored': {
      const scores = event.scores.map(({ ssrc, rid, score }) => ({ ssrc, ...(rid !== undefined && { rid }), score }));
      return [{ to: one(event.peerId), method: 'producerScore', data: { producerId: event.producerId, scores } }];
    }
    case 'layersWantedChanged': {
      const { peerId, producerId, spatialLayer } = event;
      return [{ to: one(peerId), method: 'producerLayersWanted', data: { producerId, spatialLayer } }];
    }
    case 'dataProducerOpened': {
      const { dataProducer } = event;
      return [{ to: others(dataProducer.peerId), method: 'newDataProducer', data: describeDataProducer(dataProducer) }];
    }
    case 'dataProducerClosed': {
      const { id: dataProducerId, peerId } = event.dataProducer;
      const notice = { method: 'dataProducerClosed', data: { dataProducerId, peerId } } as const;
      return audiencesOf(peerId, event.byCommand).map((to) => ({ to, ...notice }));
    }
    case 'consumerPaused':
    case 'consumerResumed':
      return [{ to: one(event.peerId), method: event.kind, data: { consumerId: event.consumerId } }];
    case 'consumerScored':
      return [
        { to: one(event.peerId), method: 'consumerScore', data: { consumerId: event.consumerId, ...event.score } },
      ];
    case 'consumerLayersChanged': {
      const { peerId, consumerId, layers } = event;
      const spatialLayer = layers?.spatialLayer ?? null;
      const temporalLayer = layers?.temporalLayer ?? null;
      return [{ to: one(peerId), method: 'consumerLayersChanged', data: { consumerId, spatialLayer, temporalLayer } }];
    }
    case 'transportClosed':
      return [{ to: one(event.peerId), method: 'transportClosed', data: { transportId: event.transportId } }];
    case 'activeSpeakerChanged':
      return [{ to: all, method: 'activeSpeaker', data: { peerId: event.peerId } }];
    case 'audioLevelsChanged':
      return [levelsNotice(all, event.levels)];
    case 'backendMessage': {
      const { peerIds, from, data } = event;
      return [{ to: { kind: 'peers', peerIds }, method: 'message', data: { from, data } }];
    }
    // Backends hear of these; peers see what follows from them.
    case 'roomCreated':
    case 'roomHandedOff':
    case 'roomClosed':
    case 'roomNotRebuilt':
    case 'peerDisconnected':
    case 'peerResumed':
    case 'producerPaused':
    case 'producerResumed':
    case 'consumerOpened':
    case 'consumerClosed':
      return [];
  }
}

/** Whether the client of a peer that left should connect again. */
export const mayReturn = (leave: Leave): boolean => reconnectReasonOf(leave) !== undefined;

const levelsNotice = (to: Audience, levels: readonly PeerLevel[]): Notice => ({
  to,
  method: 'audioLevels',
  data: { levels: [...levels] },
});

const describePeer = ({ id, appData }: RoomPeer) => ({ peerId: id, appData });

/** Everything that was in the room before the peer, as if it happened now. */
function introductionOf({ peer, view }: Extract<RoomEvent, { kind: 'peerReady' }>): Notice[] {
  const to: Audience = { kind: 'peer', peer };
  const { producers, dataProducers, activeSpeaker, audioLevels } = view;
  return [
    ...producers.map((producer) => ({ to, method: 'newProducer', data: describeProducer(producer) }) as const),
    ...dataProducers.map(
      (dataProducer) => ({ to, method: 'newDataProducer', data: describeDataProducer(dataProducer) }) as const,
    ),
    ...(activeSpeaker === null ? [] : [{ to, method: 'activeSpeaker', data: { peerId: activeSpeaker } } as const]),
    ...(audioLevels.length === 0 ? [] : [levelsNotice(to, audioLevels)]),
  ];
}

/** What the peer itself is notified of, and the others. When the room closes each hears that by itself. */
function farewellOf(peer: RoomPeer, leave: Leave): Notice[] {
  const to: Audience = { kind: 'peer', peer };
  const left: Notice = { to: others(peer.id), method: 'peerLeft', data: { peerId: peer.id } };
  switch (leave.kind) {
    case 'left':
    case 'lost':
      return [left];
    case 'kicked':
      return [{ to, method: 'error', data: describeError(new RequestError('PEER_REMOVED', leave.reason)) }, left];
    case 'replaced':
      return [
        { to, method: 'error', data: describeError(new RequestError('PEER_REPLACED', 'the same peer joined again')) },
        left,
      ];
    case 'workerDied':
      return [{ to, method: 'reconnect', data: { reason: 'worker', deadlineMs: 0 } }, left];
    case 'roomClosed': {
      const reason = reconnectReasonOf(leave);
      if (reason === undefined) return [{ to, method: 'roomClosed', data: { reason: leave.reason } }];
      return [{ to, method: 'reconnect', data: { reason, deadlineMs: 0 } }];
    }
  }
}

/** Why a peer that left is asked to come back; undefined when it is not. */
function reconnectReasonOf(leave: Leave): NotificationData<'reconnect'>['reason'] | undefined {
  if (leave.kind === 'workerDied') return 'worker';
  if (leave.kind !== 'roomClosed') return undefined;
  switch (leave.end) {
    case 'worker':
      return 'worker';
    case 'fenced':
      return 'fenced';
    case 'shutdown':
    case 'moved':
      return 'drain';
    case 'empty':
    case 'unjoined':
    case 'command':
      return undefined;
  }
}

/** The others, and the owner too when a backend did it: whoever closes something itself knows. */
const audiencesOf = (ownerId: string, byCommand: boolean): Audience[] =>
  byCommand ? [others(ownerId), one(ownerId)] : [others(ownerId)];
