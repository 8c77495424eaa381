import type { ChannelTls } from '@mediasoup-server/backend-client/channel';
import { rtpCapabilitiesSchema } from '@mediasoup-server/proto/http';
import { isLoopback } from '@mediasoup-server/server-kit/settings';
import { inSpan } from '@mediasoup-server/server-kit/tracing';
import type { Daemon } from '../directory/Daemon.ts';
import type { OwnCommand, SignedToken } from '../tokens/AssignmentKeys.ts';
import type { CommandCall, DaemonChannels } from './DaemonChannels.ts';

/** The deadlines of a command and of a probe, ms. A live daemon answers in milliseconds, and the frontend waits. */
const COMMAND_DEADLINE_MS = 2000;
const PROBE_DEADLINE_MS = 500;
/** All calls within this time share one probe, ms. */
const PROBE_SHARED_MS = 1000;

type Target = Pick<Daemon, 'daemonId' | 'grpcAddress' | 'incarnation'>;

export type DaemonClientOptions = {
  /** TLS settings for the daemons' gRPC servers; plain text without it. */
  readonly tls?: ChannelTls | undefined;
  /** Whether daemons require command tokens, as in mode `jwt`. */
  readonly needsTokens: boolean;
  /** Signs the token of a command. */
  readonly sign: (command: OwnCommand) => Promise<SignedToken>;
};

/** Sends commands to media daemons over gRPC. */
export class DaemonClient {
  readonly #options: DaemonClientOptions;
  #loading: Promise<DaemonChannels> | undefined;
  readonly #probes = new Map<string, { at: number; alive: Promise<boolean> }>();

  constructor(options: DaemonClientOptions) {
    this.#options = options;
  }

  /**
   * Creates a room on a daemon, if it does not have the room.
   *
   * @returns mediasoup's RtpCapabilities of the room, as JSON.
   * @throws grpc-js's ServiceError, or an Error when the answer is not valid.
   */
  async createRoom(daemon: Target, roomId: string, epoch: number): Promise<{ rtpCapabilities: string }> {
    const channels = await this.#channels();
    const attributes = { roomId, daemonId: daemon.daemonId };
    const { room } = await inSpan('media.v1.MediaDaemon/CreateRoom', { kind: 'client', attributes }, async () =>
      channels.send(await this.#command(daemon, roomId), (calls, settings) =>
        calls.createRoom({ roomId, epoch: BigInt(epoch) }, settings),
      ),
    );
    const rtpCapabilities = rtpCapabilitiesSchema.parse(JSON.parse(room?.rtpCapabilitiesJson ?? ''));
    return { rtpCapabilities: JSON.stringify(rtpCapabilities) };
  }

  /** Tells a draining daemon that a room has moved in this epoch, so that it moves its peers at once. */
  async moveRoom(daemon: Target, roomId: string, epoch: number): Promise<void> {
    const channels = await this.#channels();
    await channels.send(await this.#command(daemon, roomId), (calls, settings) =>
      calls.closeRoom({ roomId, movedEpoch: BigInt(epoch) }, settings),
    );
  }

  /**
   * Asks whether this incarnation of a daemon is alive. Any answer counts, also an error; silence or a refused connection
   * means that it is not. Calls within a second share one answer, unless `fresh` is set.
   */
  probe(daemon: Target, { fresh = false } = {}): Promise<boolean> {
    const key = `${daemon.grpcAddress} ${daemon.incarnation}`;
    const now = Date.now();
    for (const [old, { at }] of this.#probes) if (now - at > PROBE_SHARED_MS) this.#probes.delete(old);
    const shared = this.#probes.get(key);
    if (shared && !fresh) return shared.alive;
    const alive = this.#probeOnce(daemon);
    this.#probes.set(key, { at: now, alive });
    return alive;
  }

  async close(): Promise<void> {
    (await this.#loading)?.close();
  }

  async #probeOnce(daemon: Target): Promise<boolean> {
    const channels = await this.#channels();
    const info = await channels.probe({
      address: daemon.grpcAddress,
      token: await this.#token(daemon, undefined),
      deadlineMs: PROBE_DEADLINE_MS,
    });
    if (info === 'other') return true;
    return info?.daemonId === daemon.daemonId && info.incarnation === daemon.incarnation;
  }

  /** gRPC is loaded with the first command, because most requests send none and it slows down the start of a Lambda function. */
  #channels(): Promise<DaemonChannels> {
    this.#loading ??= import('./DaemonChannels.ts').then(({ DaemonChannels }) => new DaemonChannels(this.#options.tls));
    return this.#loading;
  }

  /** @throws Error when the daemon requires a token and is reached in plain text beyond loopback. */
  async #command(daemon: Target, roomId: string): Promise<CommandCall> {
    const token = await this.#token(daemon, roomId);
    if (token === undefined && this.#options.needsTokens)
      throw new Error(
        `the command token would be sent in plain text to ${daemon.grpcAddress}, which is not on loopback: set CONTROL_PLANE_DAEMON_TLS=true`,
      );
    return { address: daemon.grpcAddress, token, deadlineMs: COMMAND_DEADLINE_MS };
  }

  /** A token for one command; none if it would be sent in plain text beyond loopback. */
  async #token(
    { grpcAddress, daemonId, incarnation }: Target,
    roomId: string | undefined,
  ): Promise<string | undefined> {
    const host = grpcAddress.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
    if (!this.#options.tls && !isLoopback(host)) return undefined;
    return (await this.#options.sign({ daemonId, incarnation, roomId })).token;
  }
}
