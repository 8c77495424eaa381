import type { Logger } from '@mediasoup-server/process/logger';
import { answerProblem, HttpProblem, methodNotAllowed, notFound } from '@mediasoup-server/process/problem';
import { idSchema } from '@mediasoup-server/proto/ids';
import express, { type Express } from 'express';
import type { Rooms } from '../rooms/Rooms.ts';
import type { WorkerPool } from '../workers/WorkerPool.ts';

/** The daemon's own HTTP routes, beside its WebSocket. */
export function createApp(rooms: Rooms, pool: WorkerPool, logger: Logger): Express {
  const app = express();
  app.disable('x-powered-by');
  app.use((_request, response, next) => {
    response.set('Access-Control-Allow-Origin', '*');
    next();
  });
  app
    .route('/health')
    .get((_request, response) => void response.json({ message: 'ok' }))
    .all(methodNotAllowed('GET'));
  app
    .route('/ready')
    .get((_request, response) => {
      if (pool.workers.length === 0)
        throw new HttpProblem('UNAVAILABLE', 'no media worker is running', { retryAfter: 1 });
      if (rooms.draining) throw new HttpProblem('UNAVAILABLE', 'this media daemon is draining');
      response.json({ message: 'ready' });
    })
    .all(methodNotAllowed('GET'));
  app
    .route('/rooms/:roomId')
    .get((request, response) => {
      const roomId = idSchema.safeParse(request.params.roomId);
      if (!roomId.success) throw new HttpProblem('INVALID_REQUEST', `roomId ${roomId.error.issues[0]?.message}`);
      const room = rooms.get(roomId.data);
      if (!room) throw new HttpProblem('ROOM_NOT_FOUND');
      const { codecs, headerExtensions } = room.rtpCapabilities;
      response.json({ codecs, headerExtensions });
    })
    .all(methodNotAllowed('GET'));
  app.use(notFound);
  app.use(
    answerProblem((error, { method, path }) => logger.error({ err: error, method, path }, 'HTTP request failed')),
  );
  return app;
}
