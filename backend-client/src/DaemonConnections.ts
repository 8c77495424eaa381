import { type Client, status } from '@grpc/grpc-js';
import { MediaDaemon } from '@mediasoup-server/proto/daemon';
import { type ServiceCalls, serviceCalls } from './calls.ts';
import { type ChannelTls, openChannel } from './channel.ts';

export type DaemonConnection = { readonly client: Client; readonly calls: ServiceCalls<typeof MediaDaemon> };

/** One connection to each media daemon's gRPC server, opened at the first call. */
export class DaemonConnections {
  readonly #tls: ChannelTls | undefined;
  readonly #connections = new Map<string, DaemonConnection>();

  /** @param tls plain text without it. */
  constructor(tls: ChannelTls | undefined) {
    this.#tls = tls;
  }

  /** @param address `host:port`. */
  to(address: string): DaemonConnection {
    let connection = this.#connections.get(address);
    if (!connection) {
      const client = openChannel(address, this.#tls, {
        // Detects a daemon that is cut off without closing the connection.
        'grpc.keepalive_time_ms': 10_000,
        'grpc.keepalive_timeout_ms': 5000,
        'grpc.max_reconnect_backoff_ms': 1000,
      });
      connection = { client, calls: serviceCalls(MediaDaemon, client) };
      this.#connections.set(address, connection);
    }
    return connection;
  }

  close(): void {
    for (const { client } of this.#connections.values()) client.close();
    this.#connections.clear();
  }
}

/**
 * Waits until a client is connected.
 *
 * @param until Unix time in ms.
 * @throws Error with the code UNAVAILABLE.
 */
export const connected = (client: Client, until: number): Promise<void> =>
  new Promise((resolve, reject) =>
    client.waitForReady(until, (error) => {
      if (error) reject(Object.assign(new Error('the media daemon cannot be reached'), { code: status.UNAVAILABLE }));
      else resolve();
    }),
  );
