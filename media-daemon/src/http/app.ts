import { idSchema } from '@mediasoup-server/proto/ids';
import type { Logger } from '@mediasoup-server/server-kit/logger';
import { answerProblem, HttpProblem, methodNotAllowed, notFound } from '@mediasoup-server/server-kit/problem';
import { securityHeaders } from '@mediasoup-server/server-kit/securityHeaders';
import express, { type Express } from 'express';
import { RequestError } from '../errors.ts';
import type { Rooms } from '../rooms/Rooms.ts';
import type { WorkerPool } from '../workers/WorkerPool.ts';

export type AppOptions = {
  readonly rooms: Rooms;
  readonly pool: WorkerPool;
  readonly logger: Logger;
  /**
   * Checks whether a token lets somebody know of a room; not there where everybody may.
   *
   * @throws RequestError 401, 503 while it cannot be checked.
   */
  readonly checkRoomToken: ((roomId: string, token: string) => Promise<void>) | undefined;
};

/** The daemon's own HTTP routes, beside its WebSocket. */
export function createApp({ rooms, pool, logger, checkRoomToken }: AppOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.use(securityHeaders, (_request, response, next) => {
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
    .get(async (request, response) => {
      const roomId = idSchema.safeParse(request.params.roomId);
      if (!roomId.success) throw new HttpProblem('INVALID_REQUEST', `roomId ${roomId.error.issues[0]?.message}`);
      // In the address, as for the WebSocket: so a page asks no other server's leave first.
      if (checkRoomToken) await checkRoomToken(roomId.data, String(request.query.token ?? '')).catch(refuse);
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

function refuse(error: unknown): never {
  const { status, message } = RequestError.from(error);
  if (status === 503) throw new HttpProblem('UNAVAILABLE', message, { retryAfter: 1, cause: error });
  throw new HttpProblem('UNAUTHORIZED', undefined, { cause: error });
}
