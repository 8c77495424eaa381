import type { NotificationData } from '@mediasoup-server/proto/signaling';
import type { LocalTrack } from '../LocalTrack.ts';
import type { Data } from '../messages/numbered.ts';
import type { SessionFailure } from './SessionFailure.ts';
import type { Subscription } from './Subscription.ts';

export interface SessionEvents {
  failed: [failure: SessionFailure];
  /** Whether media can flow has changed. */
  flowChanged: [flowing: boolean];
  subscriptionChanged: [subscription: Subscription];
  /** The server has closed what this peer sends. */
  ownProducerClosed: [local: LocalTrack];
  dataReceived: [peerId: string, protocol: string, data: Data];
  peerMessage: [message: NotificationData<'peerMessage'>];
  messagesMissed: [count: number];
  /** A backend has something to tell. */
  serverMessage: [from: string, data: unknown];
}
