import { HttpProblem, methodNotAllowed } from '@mediasoup-server/process/problem';
import {
  type DaemonInfo,
  type DaemonList,
  daemonInfoSchema,
  type RoomInfo,
  type RoomInstances,
  type RoomList,
} from '@mediasoup-server/proto/http';
import { type RequestHandler, Router } from 'express';
import type { Directory } from '../assignment/findOwner.ts';
import type { Daemon } from '../daemons/Daemon.ts';
import type { Room } from '../rooms/RoomTable.ts';
import { cursorOf, daemonKeySchema, readPage, roomKeySchema } from './pageCursor.ts';
import { readId } from './requestFields.ts';

/**
 * What operators and backends use: which daemons and rooms there are, and where a room is.
 *
 * @param authorize lets operators pass and nobody else.
 */
export function operatorRoutes({ rooms, daemons }: Pick<Directory, 'rooms' | 'daemons'>, authorize: RequestHandler) {
  const router = Router({ caseSensitive: true, strict: true });

  router
    .route('/daemons')
    .get(authorize, async (request, response) => {
      const { items, next } = await daemons.list(readPage(daemonKeySchema, request.query));
      const answer: DaemonList = { daemons: items.map(daemonInfo), ...(next && { cursor: cursorOf(next) }) };
      response.set('Cache-Control', 'no-store').json(answer);
    })
    .all(methodNotAllowed('GET', 'HEAD'));

  router
    .route('/rooms')
    .get(authorize, async (request, response) => {
      const { items, next } = await rooms.list(readPage(roomKeySchema, request.query));
      const answer: RoomList = { rooms: items.map(roomInfo), ...(next && { cursor: cursorOf(next) }) };
      response.set('Cache-Control', 'no-store').json(answer);
    })
    .all(methodNotAllowed('GET', 'HEAD'));

  router
    .route('/rooms/:roomId/instances')
    .get(authorize, async (request, response) => {
      const room = await rooms.read(readId('roomId', request.params));
      if (room.instances.length === 0) throw new HttpProblem('ROOM_NOT_FOUND');
      const instances = await Promise.all(
        room.instances.map(async ({ shard, daemonId, incarnation }) => {
          const daemon = await daemons.read(shard, daemonId);
          return { daemonId, incarnation, ...(daemon?.incarnation === incarnation && { daemon: daemonInfo(daemon) }) };
        }),
      );
      const answer: RoomInstances = { ...roomInfo(room), instances };
      response.set('Cache-Control', 'no-store').json(answer);
    })
    .all(methodNotAllowed('GET', 'HEAD'));

  return router;
}

/** The schema names what operators are told; whatever else a row has, its secret's hash above all, is dropped. */
const daemonInfo = (daemon: Daemon): DaemonInfo =>
  daemonInfoSchema.parse({ ...daemon, heartbeatAt: new Date(daemon.heartbeatAt).toISOString() });

const roomInfo = ({ roomId, epoch, instances, createdAt, updatedAt }: Room): RoomInfo => ({
  roomId,
  epoch,
  instances: instances.map(({ daemonId, incarnation }) => ({ daemonId, incarnation })),
  createdAt: new Date(createdAt).toISOString(),
  updatedAt: new Date(updatedAt).toISOString(),
});
