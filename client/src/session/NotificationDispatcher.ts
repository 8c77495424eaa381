import { RoomError } from '../errors.ts';
import type { AnyNotification } from '../signaling/ProtooSocket.ts';
import type { Consumers } from './Consumers.ts';
import type { DataChannels } from './DataChannels.ts';
import type { Producers } from './Producers.ts';
import type { Roster } from './Roster.ts';
import type { SessionEvents } from './SessionEvents.ts';

/** The parts of a session that notifications are for. */
interface Recipients {
  readonly roster: Roster;
  readonly producers: Producers;
  readonly consumers: Consumers;
  readonly data: DataChannels;
}

type Emit = <Name extends keyof SessionEvents>(name: Name, ...args: SessionEvents[Name]) => void;

/** Hands each of the daemon's notifications to the part of the session that it concerns. */
export class NotificationDispatcher {
  readonly #session: Recipients;
  readonly #emit: Emit;
  #roomClosedReason: string | undefined;

  constructor(session: Recipients, emit: Emit) {
    this.#session = session;
    this.#emit = emit;
  }

  /** Why the room was closed. The socket is closed after that, with a code that says whether for good. */
  get roomClosedReason(): string | undefined {
    return this.#roomClosedReason;
  }

  dispatch(notification: AnyNotification): void {
    const { roster, producers, consumers, data } = this.#session;
    switch (notification.method) {
      case 'newProducer':
        roster.addProducer(notification.data);
        break;
      case 'producerClosed':
        this.#producerClosed(notification.data.producerId);
        break;
      case 'consumerClosed': {
        const subscription = consumers.find(notification.data.consumerId);
        if (subscription) consumers.drop(subscription);
        break;
      }
      case 'consumerPaused':
        consumers.find(notification.data.consumerId)?.flowChanged(false);
        break;
      case 'consumerResumed':
        consumers.find(notification.data.consumerId)?.flowChanged(true);
        break;
      case 'consumerLayersChanged': {
        const { consumerId, spatialLayer, temporalLayer } = notification.data;
        const layers = spatialLayer === null ? undefined : { spatialLayer, temporalLayer: temporalLayer ?? 0 };
        consumers.find(consumerId)?.layersChanged(layers);
        break;
      }
      case 'consumerScore':
        consumers.find(notification.data.consumerId)?.scoreChanged(notification.data.score);
        break;
      case 'producerPaused':
        producers.pausedByServer(notification.data.producerId, notification.data.mayResume);
        break;
      case 'producerResumed':
        producers.allowedByServer(notification.data.producerId);
        break;
      case 'producerLayersWanted':
        producers.layersWanted(notification.data.producerId, notification.data.spatialLayer);
        break;
      case 'newDataProducer':
        data.opened(notification.data);
        break;
      case 'dataProducerClosed':
        data.closed(notification.data.dataProducerId);
        break;
      case 'peerJoined':
      case 'peerUpdated':
        roster.setPeer(notification.data);
        break;
      case 'peerLeft':
        roster.removePeer(notification.data.peerId);
        break;
      case 'activeSpeaker':
        roster.setActiveSpeaker(notification.data.peerId ?? undefined);
        break;
      case 'audioLevels':
        roster.setAudioLevels(notification.data.levels);
        break;
      case 'message':
        this.#emit('serverMessage', notification.data.from, notification.data.data);
        break;
      case 'peerMessage':
        this.#emit('peerMessage', notification.data);
        break;
      case 'messagesMissed':
        this.#emit('messagesMissed', notification.data.count);
        break;
      case 'reconnect': {
        const { reason, deadlineMs } = notification.data;
        const error = new RoomError('MOVED', `The media server asks the peer to move (${reason})`);
        // Media flows until the deadline; without a deadline it has already stopped.
        this.#emit('failed', { kind: deadlineMs > 0 ? 'moveRequested' : 'mediaLost', error });
        break;
      }
      case 'transportClosed':
        this.#emit('failed', {
          kind: 'mediaLost',
          error: new RoomError('TRANSPORT_FAILED', 'The media server closed a transport'),
        });
        break;
      case 'roomClosed':
        this.#roomClosedReason = notification.data.reason;
        break;
      default:
        // A newer server may send notifications that this SDK does not know.
        break;
    }
  }

  #producerClosed(producerId: string): void {
    const { roster, producers } = this.#session;
    const own = producers.find(producerId);
    if (!own) {
      roster.removeProducer(producerId);
      return;
    }
    producers.drop(own);
    this.#emit('ownProducerClosed', own);
  }
}
