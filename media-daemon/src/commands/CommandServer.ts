import { Server, ServerCredentials, type ServerOptions } from '@grpc/grpc-js';
import type { Logger } from '@mediasoup-server/process/logger';
import { MediaDaemon } from '@mediasoup-server/proto/daemon';
import { type ServiceMethods, serviceDefinition, serviceHandlers } from '@mediasoup-server/proto/grpc';
import { Health } from '@mediasoup-server/proto/health';
import { HealthImplementation } from 'grpc-health-check';
import type { Metrics } from '../telemetry/metrics.ts';
import { createIntercept } from './intercept.ts';
import { addReflection } from './reflection.ts';

/** What one caller may hold, and how soon one that is gone is noticed. */
const serverOptions: ServerOptions = {
  'grpc.max_receive_message_length': 524_288,
  'grpc.max_concurrent_streams': 1000,
  'grpc.keepalive_time_ms': 30_000,
  'grpc.keepalive_timeout_ms': 10_000,
};

/** The gRPC server of the daemon. */
export type CommandServer = {
  readonly port: number;
  /** Answers health checks with NOT_SERVING from now on. */
  stopServing(): void;
  close(): void;
};

/** @throws Error when the address cannot be listened on. */
export async function startCommandServer(
  methods: ServiceMethods<typeof MediaDaemon>,
  { host, port, metrics, logger }: { host: string; port: number; metrics: Metrics; logger: Logger },
): Promise<CommandServer> {
  const server = new Server(serverOptions);
  server.addService(
    serviceDefinition(MediaDaemon),
    serviceHandlers(MediaDaemon, methods, createIntercept({ metrics, logger })),
  );
  const health = new HealthImplementation(healthOf('SERVING'));
  health.addToServer(server);
  addReflection(server, [MediaDaemon, Health]);
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(
      `${host.includes(':') ? `[${host}]` : host}:${port}`,
      ServerCredentials.createInsecure(),
      (error, boundPort) => {
        if (error) reject(new Error(`cannot listen for gRPC on ${host}:${port}: ${error.message}`, { cause: error }));
        else resolve(boundPort);
      },
    );
  });
  return {
    port: bound,
    stopServing: () => {
      for (const [service, now] of Object.entries(healthOf('NOT_SERVING'))) health.setStatus(service, now);
    },
    close: () => server.forceShutdown(),
  };
}

/** The whole server's health, which has no name, and that of its service. */
const healthOf = (now: 'SERVING' | 'NOT_SERVING') => ({ '': now, [MediaDaemon.typeName]: now }) as const;
