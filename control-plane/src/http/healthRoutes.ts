import { HttpProblem, methodNotAllowed } from '@mediasoup-server/server-kit/problem';
import { Router } from 'express';
import type { DaemonTable } from '../directory/DaemonTable.ts';
import type { RoomTable } from '../directory/RoomTable.ts';
import type { AssignmentKeys } from '../tokens/AssignmentKeys.ts';
import { openApi } from './openApi.ts';

/** The deadline of the reads, ms. A load balancer asks every few seconds and does not wait long. */
const READY_TIMEOUT_MS = 1000;

/** `GET /health`, `GET /ready`, the public keys and the API's own description. */
export function healthRoutes(parts: { rooms: RoomTable; daemons: DaemonTable; keys: AssignmentKeys }): Router {
  const router = Router({ caseSensitive: true, strict: true });

  router
    .route('/health')
    .get((_request, response) => {
      response.json({ message: 'ok' });
    })
    .all(methodNotAllowed('GET', 'HEAD'));

  let reading: Promise<unknown> | undefined;
  const readTables = async () => {
    const timeoutMs = READY_TIMEOUT_MS;
    await Promise.all([parts.rooms.read('ready', { timeoutMs }), parts.daemons.read('ready', 'ready', { timeoutMs })]);
  };
  router
    .route('/ready')
    .get(async (_request, response) => {
      // Concurrent requests share one read of the tables, because these requests are not rate-limited.
      reading ??= readTables().finally(() => {
        reading = undefined;
      });
      await reading.catch((cause: unknown) => {
        throw new HttpProblem('UNAVAILABLE', 'the tables cannot be read', { retryAfter: 1, cause });
      });
      response.json({ message: 'ready' });
    })
    .all(methodNotAllowed('GET', 'HEAD'));

  router
    .route('/.well-known/jwks.json')
    .get(async (_request, response) => {
      response.json(await parts.keys.jwks());
    })
    .all(methodNotAllowed('GET', 'HEAD'));

  let description: ReturnType<typeof openApi> | undefined;
  router
    .route('/openapi.json')
    .get((_request, response) => {
      description ??= openApi();
      response.json(description);
    })
    .all(methodNotAllowed('GET', 'HEAD'));

  return router;
}
