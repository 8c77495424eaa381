import { Client, credentials, type ServiceError, status } from '@grpc/grpc-js';
import { MediaDaemon } from '@mediasoup-server/proto/daemon';
import { type ServiceCalls, serviceCalls } from '@mediasoup-server/proto/grpc';
import { rtpCapabilitiesSchema } from '@mediasoup-server/proto/http';
import type { Daemon } from './Daemon.ts';

/** A daemon that is up answers in milliseconds; the frontend waits meanwhile. */
const COMMAND_DEADLINE_MS = 2000;
const PROBE_DEADLINE_MS = 500;
/** One probe's result serves all who ask within this time. */
const PROBE_SHARED_MS = 1000;
/** The longest wait before a channel whose connection broke tries again. */
const RECONNECT_MS = 1000;

type Calls = ServiceCalls<typeof MediaDaemon>;
type Target = Pick<Daemon, 'daemonId' | 'grpcAddress' | 'incarnation'>;

/** Sends commands to media daemons over gRPC. Channels are kept, one an address. */
export class DaemonClient {
  readonly #channels = new Map<string, { client: Client; calls: Calls }>();
  readonly #probes = new Map<string, { at: number; alive: Promise<boolean> }>();

  /**
   * Makes a room on a daemon, or finds it there.
   *
   * @returns mediasoup's RtpCapabilities of the room, as JSON.
   * @throws grpc-js's ServiceError, or an error when the answer makes no sense.
   */
  async createRoom(daemon: Target, roomId: string, epoch: number): Promise<{ rtpCapabilities: string }> {
    const { room } = await this.#calls(daemon.grpcAddress).createRoom(
      { roomId, epoch: BigInt(epoch) },
      { deadline: Date.now() + COMMAND_DEADLINE_MS },
    );
    const rtpCapabilities = rtpCapabilitiesSchema.parse(JSON.parse(room?.rtpCapabilitiesJson ?? ''));
    return { rtpCapabilities: JSON.stringify(rtpCapabilities) };
  }

  /** Tells a draining daemon that a room lives elsewhere since this epoch, so that all its peers move there at once. */
  async moveRoom(daemon: Target, roomId: string, epoch: number): Promise<void> {
    await this.#calls(daemon.grpcAddress).closeRoom(
      { roomId, movedEpoch: BigInt(epoch) },
      { deadline: Date.now() + COMMAND_DEADLINE_MS },
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
    const alive = probeOnce(daemon);
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
      const client = new Client(address, credentials.createInsecure(), {
        'grpc.initial_reconnect_backoff_ms': 100,
        'grpc.max_reconnect_backoff_ms': RECONNECT_MS,
      });
      channel = { client, calls: serviceCalls(MediaDaemon, client) };
      this.#channels.set(address, channel);
    }
    return channel.calls;
  }
}

/** A probe has a connection of its own: a kept one may be waiting to reconnect to a daemon that is back already. */
async function probeOnce({ daemonId, grpcAddress, incarnation }: Target): Promise<boolean> {
  const client = new Client(grpcAddress, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 });
  try {
    const info = await serviceCalls(MediaDaemon, client).getInfo({}, { deadline: Date.now() + PROBE_DEADLINE_MS });
    return info.daemonId === daemonId && info.incarnation === incarnation;
  } catch (error) {
    const { code } = error as Partial<ServiceError>;
    return code !== status.UNAVAILABLE && code !== status.DEADLINE_EXCEEDED;
  } finally {
    client.close();
  }
}
