import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { Server, ServerCredentials } from '@grpc/grpc-js';
import { type ConnectionLimit, limitConnections } from '@mediasoup-server/server-kit/limitConnections';
import type { Logger } from '@mediasoup-server/server-kit/logger';

/**
 * The fewest connections that may be open at once. Each takes some 50 KB, TLS more, and a descriptor; who has none left can
 * neither take peers nor be asked for its health.
 */
const LEAST_CONNECTIONS = 4000;

export type GrpcListenerOptions = {
  readonly host: string;
  readonly port: number;
  readonly credentials: ServerCredentials;
  readonly perAddress: ConnectionLimit;
  readonly logger: Logger;
};

/** A TCP port that a gRPC server is reached at. */
export type GrpcListener = {
  readonly port: number;
  /** Listens no more; connections go on. Resolves when all of them are closed. */
  stop(): Promise<void>;
  /** Cuts off every connection, those that are still in their TLS handshake too. */
  destroy(): void;
};

/**
 * Listens for a gRPC server. The library's own listeners take any number of connections of anybody and cannot be reached, so
 * that connections are taken here and given to it.
 *
 * @throws Error when the address cannot be listened on.
 */
export async function listenForGrpc(
  server: Server,
  { host, port, credentials, perAddress, logger }: GrpcListenerOptions,
): Promise<GrpcListener> {
  const injector = server.createConnectionInjector(credentials);
  const listener = createServer({ noDelay: true });
  // One address never takes more than half.
  listener.maxConnections = Math.max(LEAST_CONNECTIONS, 2 * perAddress.most);
  const sockets = new Set<Socket>();
  limitConnections(listener, perAddress, logger);
  listener.on('connection', (socket) => {
    if (socket.destroyed) return;
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    injector.injectConnection(socket);
  });
  await new Promise<void>((resolve, reject) => {
    listener.once('error', (error) =>
      reject(new Error(`cannot listen for gRPC on ${host}:${port}: ${error.message}`, { cause: error })),
    );
    listener.listen(port, host, resolve);
  });
  return {
    port: (listener.address() as AddressInfo).port,
    stop: () => new Promise((resolve) => void listener.close(() => resolve())),
    destroy: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
}
