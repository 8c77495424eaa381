import { assignmentRequestSchema } from '@mediasoup-server/proto/http';
import { HttpProblem, methodNotAllowed } from '@mediasoup-server/server-kit/problem';
import { inSpan } from '@mediasoup-server/server-kit/tracing';
import { Router } from 'express';
import { assignPeer } from '../assignment/assignPeer.ts';
import { type Directory, readLiveRoom } from '../assignment/findOwner.ts';
import type { Metrics } from '../metrics.ts';
import type { AssignmentKeys } from '../tokens/AssignmentKeys.ts';
import type { Authorization } from './Authorization.ts';
import { jsonBody } from './jsonBody.ts';
import { readBody, readId } from './requestFields.ts';

/** The routes for frontends: a room's RTP capabilities, and assignments. */
export function roomRoutes(
  directory: Directory,
  keys: AssignmentKeys,
  authorization: Authorization,
  metrics: Metrics,
): Router {
  const router = Router({ caseSensitive: true, strict: true });

  router
    .route('/rooms/:roomId')
    .get(authorization.room, async (request, response) => {
      const rtpCapabilities = await readLiveRoom(readId('roomId', request.params), directory);
      if (rtpCapabilities === undefined) throw new HttpProblem('ROOM_NOT_FOUND');
      response.type('application/json').send(rtpCapabilities);
    })
    .all(methodNotAllowed('GET', 'HEAD'));

  router
    .route('/rooms/:roomId/assignments')
    .post(authorization.known, jsonBody, async (request, response) => {
      const roomId = readId('roomId', request.params);
      const body = readBody(assignmentRequestSchema, request.body);
      const grants = authorization.peer(response, roomId, body.peerId);
      const stopTimer = metrics.assignmentSeconds.startTimer();
      try {
        const assignment = await inSpan(
          'POST /rooms/:roomId/assignments',
          { kind: 'server', attributes: { roomId, peerId: body.peerId }, traceparent: request.get('traceparent') },
          () => assignPeer({ roomId, grants, ...body }, directory, keys),
        );
        const { peerId, daemonId, epoch } = assignment;
        directory.logger.info({ roomId, peerId, daemonId, epoch }, 'peer assigned');
        response.status(201).set('Cache-Control', 'no-store').json(assignment);
      } catch (error) {
        const { code } = HttpProblem.from(error);
        metrics.assignmentRefusals.inc({ code });
        directory.logger.warn({ roomId, peerId: body.peerId, code }, 'assignment refused');
        throw error;
      } finally {
        stopTimer();
      }
    })
    .all(methodNotAllowed('POST'));

  return router;
}
