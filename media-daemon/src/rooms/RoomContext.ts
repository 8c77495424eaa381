import type { RouterMesh } from '../routers/RouterMesh.ts';
import type { AnnouncementRates } from './AnnouncementRates.ts';
import type { MessageLog } from './MessageLog.ts';
import type { Mutes } from './Mutes.ts';
import type { PeerBuckets } from './PeerBuckets.ts';
import type { RoomEvent } from './RoomEvent.ts';
import type { RoomLimits } from './RoomLimits.ts';
import type { RoomProducers } from './RoomProducers.ts';

/** What a peer uses of its room. */
export type RoomContext = {
  readonly limits: RoomLimits;
  readonly mesh: RouterMesh;
  readonly producers: RoomProducers;
  readonly mutes: Mutes;
  readonly announcements: AnnouncementRates;
  readonly messageLog: MessageLog;
  /** The bytes of messages that each peer may still send. */
  readonly messageBytes: PeerBuckets;
  emit(event: RoomEvent): void;
  /** Sends each peer the messages that it has not been sent, as far as its socket takes them. */
  deliverMessages(): void;
};
