import type { AnnouncementLimits } from './AnnouncementRates.ts';

/** The limits of a room and of each of its peers. */
export type RoomLimits = AnnouncementLimits & {
  readonly maxRoomPeers: number;
  readonly maxPeerProducers: number;
  readonly maxPeerConsumers: number;
  readonly maxPeerDataProducers: number;
  readonly maxPeerDataConsumers: number;
  /** Bits a second; mediasoup asks each peer to send no more. */
  readonly maxPeerIncomingBitrate: number;
  /** Bytes of messages that a peer may send a second, and at once. */
  readonly messageBytesPerSecond: number;
  readonly messageBytesBurst: number;
};
