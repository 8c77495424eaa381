import type { MessageInitShape } from '@bufbuild/protobuf';
import { type EventSchema, LeaveReason, RoomEnd as WireRoomEnd } from '@mediasoup-server/proto/daemon';
import type { Leave, RoomEnd, RoomEvent } from '../rooms/RoomEvent.ts';
import type { RoomDataProducer, RoomProducer } from '../rooms/RoomProducers.ts';

/** An event as `WatchEvents` sends it. */
export type WatchedEvent = Extract<NonNullable<MessageInitShape<typeof EventSchema>['kind']>, { case: string }>;

/** What backends that watch hear when something happens in a room. */
export function watchedEventsOf(event: RoomEvent): WatchedEvent[] {
  switch (event.kind) {
    case 'roomCreated':
      return [{ case: 'roomCreated', value: {} }];
    case 'roomHandedOff':
      return [
        ...event.peerIds.map(
          (peerId) => ({ case: 'peerLeft', value: { peerId, reason: LeaveReason.ROOM_CLOSED } }) as const,
        ),
        { case: 'roomClosed', value: { end: roomEnds[event.end] } },
      ];
    case 'roomClosed':
      return [{ case: 'roomClosed', value: { end: roomEnds[event.end] } }];
    case 'peerJoined':
    case 'peerUpdated': {
      const { id: peerId, appData } = event.peer;
      return [{ case: event.kind, value: { peerId, appDataJson: JSON.stringify(appData) } } as WatchedEvent];
    }
    case 'peerDisconnected':
    case 'peerResumed':
      return [{ case: event.kind, value: { peerId: event.peerId } } as WatchedEvent];
    case 'peerLeft':
      return [{ case: 'peerLeft', value: { peerId: event.peer.id, reason: leaveReasons[event.leave.kind] } }];
    case 'producerOpened': {
      const { producer } = event;
      return [{ case: 'producerOpened', value: { peerId: producer.peerId, producer: describeProducer(producer) } }];
    }
    case 'producerClosed': {
      const { id: producerId, peerId } = event.producer;
      return [{ case: 'producerClosed', value: { producerId, peerId } }];
    }
    case 'producerPaused': {
      const { id: producerId, peerId, pausedByCommand: byCommand } = event.producer;
      return [{ case: 'producerPaused', value: { peerId, producerId, byCommand } }];
    }
    case 'producerResumed': {
      const { id: producerId, peerId } = event.producer;
      return [{ case: 'producerResumed', value: { peerId, producerId } }];
    }
    case 'dataProducerOpened': {
      const { dataProducer } = event;
      const value = { peerId: dataProducer.peerId, dataProducer: describeDataProducer(dataProducer) };
      return [{ case: 'dataProducerOpened', value }];
    }
    case 'dataProducerClosed': {
      const { id: dataProducerId, peerId } = event.dataProducer;
      return [{ case: 'dataProducerClosed', value: { peerId, dataProducerId } }];
    }
    case 'consumerOpened': {
      const { peerId, consumerId, producerId, paused } = event;
      return [{ case: 'consumerOpened', value: { peerId, consumerId, producerId, paused } }];
    }
    case 'consumerClosed':
    case 'consumerPaused':
    case 'consumerResumed':
      return [{ case: event.kind, value: { peerId: event.peerId, consumerId: event.consumerId } } as WatchedEvent];
    case 'activeSpeakerChanged':
      return [{ case: 'activeSpeaker', value: { peerId: event.peerId ?? '' } }];
    // Only peers hear of these: they are frequent, or follow from a command of the backend.
    case 'roomNotRebuilt':
    case 'peerReady':
    case 'moveRequested':
    case 'producerMuted':
    case 'producerUnmuted':
    case 'producerScored':
    case 'layersWantedChanged':
    case 'consumerScored':
    case 'consumerLayersChanged':
    case 'transportClosed':
    case 'audioLevelsChanged':
    case 'backendMessage':
      return [];
  }
}

const describeProducer = ({ id, kind, paused, pausedByCommand, appData }: RoomProducer) => ({
  producerId: id,
  kind,
  paused,
  pausedByCommand,
  appDataJson: JSON.stringify(appData),
});

const describeDataProducer = ({ id, label, protocol, appData }: RoomDataProducer) => ({
  dataProducerId: id,
  label,
  protocol,
  appDataJson: JSON.stringify(appData),
});

const leaveReasons: Record<Leave['kind'], LeaveReason> = {
  left: LeaveReason.LEFT,
  lost: LeaveReason.LOST,
  kicked: LeaveReason.REMOVED,
  replaced: LeaveReason.REPLACED,
  workerDied: LeaveReason.WORKER,
  roomClosed: LeaveReason.ROOM_CLOSED,
};

const roomEnds: Record<RoomEnd, WireRoomEnd> = {
  empty: WireRoomEnd.EMPTY,
  unjoined: WireRoomEnd.UNJOINED,
  command: WireRoomEnd.COMMAND,
  worker: WireRoomEnd.WORKER,
  fenced: WireRoomEnd.FENCED,
  shutdown: WireRoomEnd.SHUTDOWN,
  moved: WireRoomEnd.MOVED,
};
