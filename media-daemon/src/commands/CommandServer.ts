import { access } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { experimental, Server, ServerCredentials, type ServerOptions } from '@grpc/grpc-js';
import { MediaDaemon } from '@mediasoup-server/proto/daemon';
import { Health } from '@mediasoup-server/proto/health';
import { type ServiceMethods, serviceDefinition, serviceHandlers } from '@mediasoup-server/server-kit/grpcService';
import type { ConnectionLimit } from '@mediasoup-server/server-kit/limitConnections';
import { readCertificate } from '@mediasoup-server/server-kit/listener';
import { HealthImplementation } from 'grpc-health-check';
import { listenForGrpc } from './grpcListener.ts';
import { createIntercept, type InterceptOptions } from './intercept.ts';
import { addReflection } from './reflection.ts';

/** What one caller may hold, and how soon one that is gone is noticed. */
const serverOptions: ServerOptions = {
  'grpc.max_receive_message_length': 524_288,
  'grpc.max_concurrent_streams': 1000,
  'grpc.keepalive_time_ms': 30_000,
  'grpc.keepalive_timeout_ms': 10_000,
};

/** How long callers have to take their last answers when the server ends, ms. */
const LAST_ANSWERS_MS = 1000;

/** The gRPC server of the daemon. */
export type CommandServer = {
  readonly port: number;
  /** Answers health checks with NOT_SERVING from now on. */
  stopServing(): void;
  /** Takes no more calls, and cuts off those that have not ended after a moment. */
  close(): Promise<void>;
};

export type CommandServerOptions = InterceptOptions & {
  readonly host: string;
  readonly port: number;
  /** Plain text without it. */
  readonly tls?: CommandTls | undefined;
  /** What one address may open. */
  readonly perAddress: ConnectionLimit;
};

export type CommandTls = {
  readonly certFile: string;
  readonly keyFile: string;
  /** Callers must show a certificate of one of these authorities. */
  readonly clientCaFile?: string | undefined;
  /** Milliseconds between looks at the files. */
  readonly pollMs: number;
};

/** @throws Error when the address cannot be listened on. */
export async function startCommandServer(
  methods: ServiceMethods<typeof MediaDaemon>,
  { host, port, tls, perAddress, ...around }: CommandServerOptions,
): Promise<CommandServer> {
  const credentials = tls ? await tlsCredentials(tls) : ServerCredentials.createInsecure();
  const server = new Server(serverOptions);
  server.addService(serviceDefinition(MediaDaemon), serviceHandlers(MediaDaemon, methods, createIntercept(around)));
  const health = new HealthImplementation(healthOf('SERVING'));
  health.addToServer(server);
  addReflection(server, [MediaDaemon, Health]);
  const listener = await listenForGrpc(server, { host, port, credentials, perAddress, logger: around.logger });
  return {
    port: listener.port,
    stopServing: () => {
      for (const [service, now] of Object.entries(healthOf('NOT_SERVING'))) health.setStatus(service, now);
    },
    close: async () => {
      const ended = new AbortController();
      const { signal } = ended;
      const shutdown = new Promise((resolve) => server.tryShutdown(resolve));
      // A session that has ended may still have its last bytes to write.
      await Promise.race([Promise.all([shutdown, listener.stop()]), delay(LAST_ANSWERS_MS, undefined, { signal })]);
      ended.abort();
      server.forceShutdown();
      listener.destroy();
    },
  };
}

/** Credentials that follow their files. @throws Error that names a file which cannot be used. */
async function tlsCredentials({ certFile, keyFile, clientCaFile, pollMs }: CommandTls): Promise<ServerCredentials> {
  await readCertificate({ certFile, keyFile });
  if (clientCaFile !== undefined) await access(clientCaFile);
  const provider = new experimental.FileWatcherCertificateProvider({
    certificateFile: certFile,
    privateKeyFile: keyFile,
    caCertificateFile: clientCaFile,
    refreshIntervalMs: pollMs,
  });
  return experimental.createCertificateProviderServerCredentials(
    // The certificate's first and the authorities' second, whatever the library's types call them.
    provider,
    clientCaFile === undefined ? null : provider,
    clientCaFile !== undefined,
  );
}

/** The whole server's health, which has no name, and that of its service. */
const healthOf = (now: 'SERVING' | 'NOT_SERVING') => ({ '': now, [MediaDaemon.typeName]: now }) as const;
