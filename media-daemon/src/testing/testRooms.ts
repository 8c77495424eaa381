import type { TestContext } from 'node:test';
import type { Notification } from '@mediasoup-server/proto/signaling';
import { createLogger } from '@mediasoup-server/server-kit/logger';
import { ALL_GRANTED } from '../peers/Grants.ts';
import type { Peer } from '../peers/Peer.ts';
import type { Room } from '../rooms/Room.ts';
import type { RoomPeer } from '../rooms/RoomEvent.ts';
import { Rooms } from '../rooms/Rooms.ts';
import { noticesOf } from '../signaling/notices.ts';
import { recipientsOf } from '../signaling/recipients.ts';
import { WorkerPool } from '../workers/WorkerPool.ts';

/** Limits that no test reaches by accident. */
export const limits = {
  announcementsPerSecond: 1_000_000,
  announcementBurst: 1_000_000,
  roomUpdatesPerSecond: 1_000_000,
  roomUpdateBurst: 1_000_000,
  messageBytesPerSecond: 393_216,
  messageBytesBurst: 262_144,
  maxRoomPeers: 1000,
  maxPeerProducers: 100,
  maxPeerConsumers: 1000,
  maxPeerDataProducers: 100,
  maxPeerDataConsumers: 1000,
  maxPeerIncomingBitrate: 8_000_000,
};

/**
 * Rooms over real workers without a server in front of them; they end with the test.
 *
 * @param saturatedConsumers 0 spreads each room over all workers.
 */
export async function testRooms(t: Pick<TestContext, 'after'>, { workers = 2, saturatedConsumers = 0 } = {}) {
  const logger = createLogger('media-daemon', 'silent');
  const options = { workers, rtcIp: '127.0.0.1', rtcPort: 0, workerTimeoutMs: 10_000, saturatedCpuPercent: 100 };
  const pool = await WorkerPool.create({ ...options, saturatedConsumers }, logger);
  t.after(() => pool.close());
  const rooms = new Rooms(pool, { limits, unjoinedMs: 3_600_000, moveDeadlineMs: 3_600_000 }, logger);
  rooms.listen((room, event) => {
    for (const { to, method, data } of noticesOf(event))
      for (const peer of recipientsOf(to, room)) notifications.get(peer)?.push([method, data]);
  });
  return { pool, rooms };
}

const notifications = new WeakMap<RoomPeer, (readonly [Notification, unknown])[]>();

/** A peer that has joined and has both transports, and the notifications that it was sent. */
export async function joinRoom(room: Room, peerId: string) {
  const notified: (readonly [Notification, unknown])[] = [];
  const inbox = { isReady: () => true, deliver: () => {}, missed: () => {} };
  const peer = room.join({ peerId, appData: {}, grants: ALL_GRANTED, inbox });
  notifications.set(peer, notified);
  room.announceTo(peer);
  await peer.transports.create('send');
  await peer.transports.create('recv');
  return { peer, notified };
}

export async function consume(room: Room, peer: Peer, producerId: string, paused = false) {
  const { rtpCapabilities } = room;
  const { consumer } = await peer.consumers.consume({ producerId, rtpCapabilities, paused });
  return { consumerId: consumer.id };
}

/** What each router of a room has, by its worker's own account. */
export const dumpOf = (room: Room) =>
  Promise.all(
    room.mesh.routers.map(async ({ opened }) => {
      const dump = await (await opened).dump();
      return {
        transports: dump.transportIds.length,
        producers: dump.mapProducerIdConsumerIds.length,
        consumers: dump.mapConsumerIdProducerId.length,
        dataProducers: dump.mapDataProducerIdDataConsumerIds.length,
        dataConsumers: dump.mapDataConsumerIdDataProducerId.length,
      };
    }),
  );
