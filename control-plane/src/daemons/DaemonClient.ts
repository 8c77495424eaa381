import { type Client, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { type ChannelTls, openChannel } from '@mediasoup-server/proto/channel';
import { MediaDaemon } from '@mediasoup-server/proto/daemon';
import { type CallSettings, type ServiceCalls, serviceCalls } from '@mediasoup-server/proto/grpc';
import { rtpCapabilitiesSchema } from '@mediasoup-server/proto/http';
import type { SignedToken } from '../tokens/AssignmentKeys.ts';
import type { Daemon } from './Daemon.ts';

/** A daemon that is up answers in milliseconds; the frontend waits meanwhile. */
const COMMAND_DEADLINE_MS = 2000;
const PROBE_DEADLINE_MS = 500;
/** One probe's result serves all who ask within this time. */
const PROBE_SHARED_MS = 1000;
/** How long before its end a token is replaced, ms. */
const TOKEN_RENEWAL_MS = 60_000;
/** The longest wait before a channel whose connection broke tries again. */
const RECONNECT_MS = 1000;

type Calls = ServiceCalls<typeof MediaDaemon>;
type Target = Pick<Daemon, 'daemonId' | 'grpcAddress' | 'incarnation'>;

export type DaemonClientOptions = {
  /** What daemons are reached with; plain text without it. */
  readonly tls?: ChannelTls | undefined;
  /** Signs the token that goes with commands. */
  readonly sign: () => Promise<SignedToken>;
};

/** Sends commands to media daemons over gRPC. Channels are kept, one an address. */
export class DaemonClient {
  readonly #options: DaemonClientOptions;
  #token: SignedToken | undefined;
  readonly #channels = new Map<string, { client: Client; calls: Calls }>();
  readonly #probes = new Map<string, { at: number; alive: Promise<boolean> }>();

  constructor(options: DaemonClientOptions) {
    this.#options = options;
  }

  /**
   * Makes a room on a daemon, or finds it there.
   *
   * @returns mediasoup's RtpCapabilities of the room, as JSON.
   * @throws grpc-js's ServiceError, or an error when the answer makes no sense.
   */
  async createRoom(daemon: Target, roomId: string, epoch: number): Promise<{ rtpCapabilities: string }> {
    const { room } = await this.#calls(daemon.grpcAddress).createRoom(
      { roomId, epoch: BigInt(epoch) },
      await this.#settings(COMMAND_DEADLINE_MS),
    );
    const rtpCapabilities = rtpCapabilitiesSchema.parse(JSON.parse(room?.rtpCapabilitiesJson ?? ''));
    return { rtpCapabilities: JSON.stringify(rtpCapabilities) };
  }

  /** Tells a draining daemon that a room lives elsewhere since this epoch, so that all its peers move there at once. */
  async moveRoom(daemon: Target, roomId: string, epoch: number): Promise<void> {
    await this.#calls(daemon.grpcAddress).closeRoom(
      { roomId, movedEpoch: BigInt(epoch) },
      await this.#settings(COMMAND_DEADLINE_MS),
    );
  }

  /**
   * Asks whether this incarnation of a daemon lives. Any answer of it will do, an error too; silence and a refused
   * connection mean that it does not.
   */
  probe(daemon: Target): Promise<boolean> {
    const key = `${daemon.grpcAddress} ${daemon.incarnation}`;
    const now = Date.now();
    for (const [old, { at }] of this.#probes) if (now - at > PROBE_SHARED_MS) this.#probes.delete(old);
    const shared = this.#probes.get(key);
    if (shared) return shared.alive;
    const alive = this.#probeOnce(daemon);
    this.#probes.set(key, { at: now, alive });
    return alive;
  }

  close(): void {
    for (const { client } of this.#channels.values()) client.close();
    this.#channels.clear();
  }

  #calls(address: string): Calls {
    let channel = this.#channels.get(address);
    if (!channel) {
      const client = openChannel(address, this.#options.tls, {
        'grpc.initial_reconnect_backoff_ms': 100,
        'grpc.max_reconnect_backoff_ms': RECONNECT_MS,
      });
      channel = { client, calls: serviceCalls(MediaDaemon, client) };
      this.#channels.set(address, channel);
    }
    return channel.calls;
  }

  /** A probe has a connection of its own: a kept one may be waiting to reconnect to a daemon that is back already. */
  async #probeOnce({ daemonId, grpcAddress, incarnation }: Target): Promise<boolean> {
    const client = openChannel(grpcAddress, this.#options.tls, { 'grpc.use_local_subchannel_pool': 1 });
    try {
      const info = await serviceCalls(MediaDaemon, client).getInfo({}, await this.#settings(PROBE_DEADLINE_MS));
      return info.daemonId === daemonId && info.incarnation === incarnation;
    } catch (error) {
      const { code } = error as Partial<ServiceError>;
      return code !== status.UNAVAILABLE && code !== status.DEADLINE_EXCEEDED;
    } finally {
      client.close();
    }
  }

  async #settings(deadlineMs: number): Promise<CallSettings> {
    if (!this.#token || Number(this.#token.expiresAt) - Date.now() < TOKEN_RENEWAL_MS)
      this.#token = await this.#options.sign();
    const metadata = new Metadata();
    metadata.set('authorization', `Bearer ${this.#token.token}`);
    return { metadata, deadline: Date.now() + deadlineMs };
  }
}
