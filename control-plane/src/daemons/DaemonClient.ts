import type { ChannelTls } from '@mediasoup-server/backend-client/channel';
import { rtpCapabilitiesSchema } from '@mediasoup-server/proto/http';
import { isLoopback } from '@mediasoup-server/server-kit/settings';
import { inSpan } from '@mediasoup-server/server-kit/tracing';
import type { Daemon } from '../directory/Daemon.ts';
import type { OwnCommand, SignedToken } from '../tokens/AssignmentKeys.ts';
import type { CommandCall, DaemonChannels } from './DaemonChannels.ts';

/** A daemon that is up answers in milliseconds; the frontend waits meanwhile. */
const COMMAND_DEADLINE_MS = 2000;
const PROBE_DEADLINE_MS = 500;
/** One probe's result serves all who ask within this time. */
const PROBE_SHARED_MS = 1000;

type Target = Pick<Daemon, 'daemonId' | 'grpcAddress' | 'incarnation'>;

export type DaemonClientOptions = {
  /** What daemons are reached with; plain text without it. */
  readonly tls?: ChannelTls | undefined;
  /** Daemons take commands with tokens alone, as in mode `jwt`. */
  readonly needsTokens: boolean;
  /** Signs the token that goes with a command. */
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
   * Makes a room on a daemon, or finds it there.
   *
   * @returns mediasoup's RtpCapabilities of the room, as JSON.
   * @throws grpc-js's ServiceError, or an error when the answer makes no sense.
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

  /** Tells a draining daemon that a room lives elsewhere since this epoch, so that all its peers move there at once. */
  async moveRoom(daemon: Target, roomId: string, epoch: number): Promise<void> {
    const channels = await this.#channels();
    await channels.send(await this.#command(daemon, roomId), (calls, settings) =>
      calls.closeRoom({ roomId, movedEpoch: BigInt(epoch) }, settings),
    );
  }

  /**
   * Asks whether this incarnation of a daemon lives. Any answer of it will do, an error too; silence and a refused
   * connection mean that it does not. Unless it must be fresh, one answer serves all who ask within a second.
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

  /** gRPC is loaded with the first command: most requests send none, and a function on AWS starts for one request. */
  #channels(): Promise<DaemonChannels> {
    this.#loading ??= import('./DaemonChannels.ts').then(({ DaemonChannels }) => new DaemonChannels(this.#options.tls));
    return this.#loading;
  }

  /** @throws Error where the daemon needs a token and is reached in plain text. */
  async #command(daemon: Target, roomId: string): Promise<CommandCall> {
    const token = await this.#token(daemon, roomId);
    if (token === undefined && this.#options.needsTokens)
      throw new Error(
        `no command token is sent in plain text to ${daemon.grpcAddress}, which is not on loopback: set CONTROL_PLANE_DAEMON_TLS=true`,
      );
    return { address: daemon.grpcAddress, token, deadlineMs: COMMAND_DEADLINE_MS };
  }

  /** A token for one command, or none where it would be sent in plain text beyond loopback. */
  async #token(
    { grpcAddress, daemonId, incarnation }: Target,
    roomId: string | undefined,
  ): Promise<string | undefined> {
    const host = grpcAddress.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
    if (!this.#options.tls && !isLoopback(host)) return undefined;
    return (await this.#options.sign({ daemonId, incarnation, roomId })).token;
  }
}
