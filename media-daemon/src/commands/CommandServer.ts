import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import type { Logger } from '@mediasoup-server/process/logger';
import { MediaDaemon } from '@mediasoup-server/proto/daemon';
import { serviceDefinition, type UnaryMethods, unaryHandlers } from '@mediasoup-server/proto/grpc';
import { Health } from '@mediasoup-server/proto/health';
import { HealthImplementation } from 'grpc-health-check';
import { RequestError } from '../errors.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { CommandError } from './MediaDaemonService.ts';
import { addReflection } from './reflection.ts';

/** The gRPC server of the daemon. */
export type CommandServer = {
  readonly port: number;
  /** Answers health checks with NOT_SERVING from now on. */
  stopServing(): void;
  close(): void;
};

/** @throws Error when the address cannot be listened on. */
export async function startCommandServer(
  methods: UnaryMethods<typeof MediaDaemon>,
  { host, port, metrics, logger }: { host: string; port: number; metrics: Metrics; logger: Logger },
): Promise<CommandServer> {
  const server = new Server();
  const observed = Object.fromEntries(
    Object.entries(methods).map(([name, method]) => [
      name,
      async (...args: unknown[]) => {
        const stop = metrics.commandSeconds.startTimer({ method: name });
        try {
          const answer = await (method as (...args: unknown[]) => Promise<unknown>)(...args);
          metrics.commands.inc({ method: name, code: status.OK });
          return answer;
        } finally {
          stop();
        }
      },
    ]),
  ) as UnaryMethods<typeof MediaDaemon>;
  server.addService(
    serviceDefinition(MediaDaemon),
    unaryHandlers(MediaDaemon, observed, (error, method) => {
      const told = toStatus(error);
      metrics.commands.inc({ method, code: told.code });
      if (told.code === status.INTERNAL) logger.error({ err: error, method }, 'command failed');
      return told;
    }),
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

/** What a room's refusals are called in gRPC; those that are not here are faults of ours. */
const statuses: Partial<Record<RequestError['code'], status>> = {
  400: status.INVALID_ARGUMENT,
  404: status.NOT_FOUND,
  409: status.FAILED_PRECONDITION,
  503: status.UNAVAILABLE,
};

function toStatus(error: unknown): { code: status; details: string } {
  if (error instanceof CommandError) return { code: error.code, details: error.message };
  const { code, message } = RequestError.from(error);
  return { code: statuses[code] ?? status.INTERNAL, details: message };
}
