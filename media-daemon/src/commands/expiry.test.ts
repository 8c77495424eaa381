import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Client, credentials, Metadata, status } from '@grpc/grpc-js';
import { serviceCalls } from '@mediasoup-server/backend-client/calls';
import { MediaDaemon } from '@mediasoup-server/proto/daemon';
import type { ServiceMethods } from '@mediasoup-server/server-kit/grpcService';
import { createLogger } from '@mediasoup-server/server-kit/logger';
import { RequestError } from '../errors.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { authorizeByToken, type CommandGrant } from './authorize.ts';
import { startCommandServer } from './CommandServer.ts';
import { EventLog } from './EventLog.ts';

const ALL = { room: '*', scopes: ['rooms:read'] };

/** A command server whose tokens are the keys of `grants`, and which only has events to watch. */
async function start(t: TestContext, grants: Record<string, CommandGrant>) {
  const metrics = createMetrics();
  const events = new EventLog({ eventBufferBytes: 1_000_000, metrics });
  const logged: { level: number; code?: string; msg: string }[] = [];
  const logger = createLogger('test', 'info');
  for (const [name, level] of Object.entries({ info: 30, warn: 40, error: 50 })) {
    Object.assign(logger, {
      [name]: (fields: { code?: string }, msg: string) => logged.push({ level, ...fields, msg }),
    });
  }
  let ended = 0;
  const methods = {
    getInfo: async () => {
      throw new RequestError('FORBIDDEN', 'not this one');
    },
    async *watchEvents(request: { roomId: string; cursor: string }, { signal }: { signal: AbortSignal }) {
      try {
        yield* events.watch(request, signal);
      } finally {
        ended++;
      }
    },
  };
  for (const { localName } of MediaDaemon.methods)
    Object.assign(methods, { [localName]: methods[localName as never] ?? methods.getInfo });
  const server = await startCommandServer(methods as unknown as ServiceMethods<typeof MediaDaemon>, {
    host: '127.0.0.1',
    port: 0,
    tls: undefined,
    perAddress: { most: 10, trustedProxies: [], onRefused: () => {} },
    authorize: authorizeByToken(
      async (token) => {
        const grant = grants[token];
        if (!grant) throw new RequestError('UNAUTHORIZED', 'the token is not valid');
        return grant;
      },
      () => ({ daemonId: 'daemon-a', incarnation: 'first' }),
    ),
    metrics,
    logger,
  });
  t.after(() => server.close());
  const client = new Client(`127.0.0.1:${server.port}`, credentials.createInsecure());
  t.after(() => client.close());
  const bearing = (token: string) => {
    const metadata = new Metadata();
    metadata.set('authorization', `Bearer ${token}`);
    return { metadata };
  };
  return { calls: serviceCalls(MediaDaemon, client), bearing, events, logged, endedStreams: () => ended };
}

test('WatchEvents ends with UNAUTHENTICATED when its token expires, and others go on', async (t) => {
  const grants = { short: { ...ALL, expiresAt: Date.now() + 300 }, long: { ...ALL, expiresAt: Date.now() + 600_000 } };
  const { calls, bearing, events, endedStreams } = await start(t, grants);
  const watch = calls.watchEvents({}, bearing('long'));
  await watch.next();
  await assert.rejects(
    async () => {
      for await (const _ of calls.watchEvents({}, bearing('short')));
    },
    { code: status.UNAUTHENTICATED, details: 'UNAUTHORIZED: the token has expired' },
  );
  await t.waitFor(() => assert.equal(endedStreams(), 1, 'nothing acts for the stream any more'), { timeout: 30_000 });
  events.add('room', { case: 'roomCreated', value: {} });
  const { value } = await watch.next();
  assert.equal(value?.message.case, 'event');
  await watch.return();
});

test('refused calls are logged as information, and not as errors', async (t) => {
  const { calls, bearing, logged } = await start(t, { reader: { ...ALL, expiresAt: Date.now() + 600_000 } });
  await assert.rejects(calls.getInfo({}, bearing('nobody')), { code: status.UNAUTHENTICATED });
  await assert.rejects(calls.closeRoom({ roomId: 'r' }, bearing('reader')), { code: status.PERMISSION_DENIED });
  await assert.rejects(calls.getRoom({ roomId: '' }, bearing('reader')), { code: status.INVALID_ARGUMENT });
  await assert.rejects(calls.getInfo({}, bearing('reader')), { code: status.PERMISSION_DENIED });
  assert.deepEqual(
    logged.map(({ level, code }) => [level, code]),
    [
      [30, 'UNAUTHENTICATED'],
      [30, 'PERMISSION_DENIED'],
      [30, 'PERMISSION_DENIED'],
    ],
  );
});
