import {
  type CommandToken,
  commandTokenRequestSchema,
  type DaemonInfo,
  type DaemonList,
  daemonInfoSchema,
  type RoomInfo,
  type RoomInstances,
  type RoomList,
} from '@mediasoup-server/proto/http';
import { HttpProblem, methodNotAllowed } from '@mediasoup-server/server-kit/problem';
import { Router } from 'express';
import type { Directory } from '../assignment/findOwner.ts';
import type { Daemon } from '../directory/Daemon.ts';
import type { Room } from '../directory/RoomTable.ts';
import type { AssignmentKeys } from '../tokens/AssignmentKeys.ts';
import type { Authorization } from './Authorization.ts';
import { jsonBody } from './jsonBody.ts';
import { cursorOf, daemonKeySchema, readPage, roomKeySchema } from './pageCursor.ts';
import { readBody, readId } from './requestFields.ts';

/** The routes for operators and backends: lists of daemons and rooms, a room's location, command tokens. */
export function operatorRoutes(
  { rooms, daemons, logger }: Pick<Directory, 'rooms' | 'daemons' | 'logger'>,
  keys: AssignmentKeys,
  authorization: Authorization,
): Router {
  const router = Router({ caseSensitive: true, strict: true });

  router
    .route('/daemons')
    .get(authorization.operator, async (request, response) => {
      const { items, next } = await daemons.list(readPage(daemonKeySchema, request.query));
      const answer: DaemonList = { daemons: items.map(daemonInfo), ...(next && { cursor: cursorOf(next) }) };
      response.set('Cache-Control', 'no-store').json(answer);
    })
    .all(methodNotAllowed('GET', 'HEAD'));

  router
    .route('/rooms')
    .get(authorization.operator, async (request, response) => {
      const { items, next } = await rooms.list(readPage(roomKeySchema, request.query));
      const answer: RoomList = { rooms: items.map(roomInfo), ...(next && { cursor: cursorOf(next) }) };
      response.set('Cache-Control', 'no-store').json(answer);
    })
    .all(methodNotAllowed('GET', 'HEAD'));

  router
    .route('/rooms/:roomId/instances')
    .get(authorization.operator, async (request, response) => {
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

  router
    .route('/command-tokens')
    .post(authorization.known, jsonBody, async (request, response) => {
      const { roomId, scopes } = readBody(commandTokenRequestSchema, request.body ?? {});
      authorization.admin(response, roomId);
      const { token, expiresAt } = await keys.signCommand({ room: roomId, scopes });
      logger.info({ roomId, scopes }, 'command token issued');
      const answer: CommandToken = { token, expiresAt: expiresAt.toISOString() };
      response.status(201).set('Cache-Control', 'no-store').json(answer);
    })
    .all(methodNotAllowed('POST'));

  return router;
}

/** The schema picks the public fields of a row; it drops the others, such as the hash of the secret. */
const daemonInfo = (daemon: Daemon): DaemonInfo =>
  daemonInfoSchema.parse({ ...daemon, heartbeatAt: new Date(daemon.heartbeatAt).toISOString() });

const roomInfo = ({ roomId, epoch, instances, createdAt, updatedAt }: Room): RoomInfo => ({
  roomId,
  epoch,
  instances: instances.map(({ daemonId, incarnation }) => ({ daemonId, incarnation })),
  createdAt: new Date(createdAt).toISOString(),
  updatedAt: new Date(updatedAt).toISOString(),
});
