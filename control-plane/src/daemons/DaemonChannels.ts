import { type Client, type ClientOptions, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { type CallSettings, type ServiceCalls, serviceCalls } from '@mediasoup-server/backend-client/calls';
import { type ChannelTls, openChannel } from '@mediasoup-server/backend-client/channel';
import { MediaDaemon } from '@mediasoup-server/proto/daemon';
import { requestContext } from '@mediasoup-server/server-kit/requestContext';

/** The longest wait before a broken channel reconnects, ms. */
const RECONNECT_MS = 1000;
/** How long an unused channel is kept, ms: a frozen Lambda function may have lost its connection. */
const IDLE_MS = 30_000;

type Calls = ServiceCalls<typeof MediaDaemon>;
type Channel = { readonly client: Client; readonly calls: Calls; usedAt: number; answered: boolean };

/** The statuses of a probe that mean that the incarnation is gone. */
const goneCodes = new Set([status.UNAVAILABLE, status.DEADLINE_EXCEEDED, status.FAILED_PRECONDITION]);

/** The daemon's address, the token and the deadline of a command. */
export type CommandCall = { readonly address: string; readonly token: string | undefined; readonly deadlineMs: number };

/** Keeps one connection to each media daemon's gRPC server. */
export class DaemonChannels {
  readonly #tls: ChannelTls | undefined;
  readonly #channels = new Map<string, Channel>();

  /** @param tls what daemons are reached with; plain text without it. */
  constructor(tls?: ChannelTls) {
    this.#tls = tls;
  }

  /**
   * Sends a command that may be repeated. If a connection that worked before is broken, the command is sent once more over a
   * new one, within the same deadline.
   *
   * @throws grpc-js's ServiceError.
   */
  async send<T>(call: CommandCall, command: (calls: Calls, settings: CallSettings) => Promise<T>): Promise<T> {
    const { address } = call;
    const settings = settingsOf(call);
    const channel = this.#channelTo(address);
    try {
      const answer = await command(channel.calls, settings);
      channel.answered = true;
      return answer;
    } catch (error) {
      if (!channel.answered || (error as Partial<ServiceError>).code !== status.UNAVAILABLE) throw error;
      // Another command may have replaced it already.
      if (this.#channels.get(address) === channel) this.#drop(address);
      return await command(this.#channelTo(address).calls, settings);
    }
  }

  /**
   * Asks a daemon for its id and incarnation, over a connection of its own: a kept one may still wait to reconnect to a daemon
   * that is already back.
   *
   * @returns the answer, `'other'` for any other answer, `undefined` for silence or a refused connection.
   */
  async probe(call: CommandCall): Promise<{ daemonId: string; incarnation: string } | 'other' | undefined> {
    const { client, calls } = this.#open(call.address, { 'grpc.use_local_subchannel_pool': 1 });
    try {
      return await calls.getInfo({}, settingsOf(call));
    } catch (error) {
      const { code } = error as Partial<ServiceError>;
      // A daemon answers FAILED_PRECONDITION to a token that names another incarnation: the one that is meant is gone.
      return code !== undefined && goneCodes.has(code) ? undefined : 'other';
    } finally {
      client.close();
    }
  }

  close(): void {
    for (const { client } of this.#channels.values()) client.close();
    this.#channels.clear();
  }

  #channelTo(address: string): Channel {
    const now = Date.now();
    // No command takes as long as that.
    for (const [other, { usedAt }] of this.#channels) if (now - usedAt > IDLE_MS) this.#drop(other);
    const channel = this.#channels.get(address) ?? {
      ...this.#open(address, {
        'grpc.initial_reconnect_backoff_ms': 100,
        'grpc.max_reconnect_backoff_ms': RECONNECT_MS,
      }),
      usedAt: now,
      answered: false,
    };
    channel.usedAt = now;
    this.#channels.set(address, channel);
    return channel;
  }

  #drop(address: string): void {
    this.#channels.get(address)?.client.close();
    this.#channels.delete(address);
  }

  #open(address: string, options: ClientOptions): { client: Client; calls: Calls } {
    const client = openChannel(address, this.#tls, options);
    return { client, calls: serviceCalls(MediaDaemon, client) };
  }
}

function settingsOf({ token, deadlineMs }: CommandCall): CallSettings {
  const metadata = new Metadata();
  if (token !== undefined) metadata.set('authorization', `Bearer ${token}`);
  const { requestId, traceparent } = requestContext();
  if (requestId !== undefined) metadata.set('x-request-id', requestId);
  if (traceparent !== undefined) metadata.set('traceparent', traceparent);
  return { metadata, deadline: Date.now() + deadlineMs };
}
