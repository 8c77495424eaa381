import type { NotificationData } from '@mediasoup-server/proto/signaling';
import type { LocalTrack } from '../LocalTrack.ts';
import type { Data } from '../messages/numbered.ts';
import type { SessionFailure } from './SessionFailure.ts';
import type { Subscription } from './Subscription.ts';

export interface SessionEvents {
  /** The session needs another socket, or the peer another session. */
  failed: [failure: SessionFailure];
  /** Whether media can flow has changed. */
  flowChanged: [flowing: boolean];
  subscriptionChanged: [subscription: Subscription];
  /** The server has closed a producer of this peer. */
  ownProducerClosed: [local: LocalTrack];
  dataReceived: [peerId: string, protocol: string, data: Data];
  peerMessage: [message: NotificationData<'peerMessage'>];
  messagesMissed: [count: number];
  /** A message of a backend. */
  serverMessage: [from: string, data: unknown];
}
