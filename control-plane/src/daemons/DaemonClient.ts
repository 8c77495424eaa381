import { inSpan } from '@mediasoup-server/process/tracing';
import type { ChannelTls } from '@mediasoup-server/proto/channel';
import { rtpCapabilitiesSchema } from '@mediasoup-server/proto/http';
import type { SignedToken } from '../tokens/AssignmentKeys.ts';
import type { Daemon } from './Daemon.ts';
import type { CommandCall, DaemonChannels } from './DaemonChannels.ts';

/** A daemon that is up answers in milliseconds; the frontend waits meanwhile. */
const COMMAND_DEADLINE_MS = 2000;
const PROBE_DEADLINE_MS = 500;
/** One probe's result serves all who ask within this time. */
const PROBE_SHARED_MS = 1000;
/** How long before its end a token is replaced, ms. */
const TOKEN_RENEWAL_MS = 60_000;

type Target = Pick<Daemon, 'daemonId' | 'grpcAddress' | 'incarnation'>;

export type DaemonClientOptions = {
  /** What daemons are reached with; plain text without it. */
  readonly tls?: ChannelTls | undefined;
  /** Signs the token that goes with commands. */
  readonly sign: () => Promise<SignedToken>;
};

/** Sends commands to media daemons over gRPC. */
export class DaemonClient {
  readonly #options: DaemonClientOptions;
  #token: SignedToken | undefined;
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
      channels.send(await this.#call(daemon, COMMAND_DEADLINE_MS), (calls, settings) =>
        calls.createRoom({ roomId, epoch: BigInt(epoch) }, settings),
      ),
    );
    const rtpCapabilities = rtpCapabilitiesSchema.parse(JSON.parse(room?.rtpCapabilitiesJson ?? ''));
    return { rtpCapabilities: JSON.stringify(rtpCapabilities) };
  }

  /** Tells a draining daemon that a room lives elsewhere since this epoch, so that all its peers move there at once. */
  async moveRoom(daemon: Target, roomId: string, epoch: number): Promise<void> {
    const channels = await this.#channels();
    await channels.send(await this.#call(daemon, COMMAND_DEADLINE_MS), (calls, settings) =>
      calls.closeRoom({ roomId, movedEpoch: BigInt(epoch) }, settings),
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

  async close(): Promise<void> {
    (await this.#loading)?.close();
  }

  async #probeOnce(daemon: Target): Promise<boolean> {
    const channels = await this.#channels();
    const info = await channels.probe(await this.#call(daemon, PROBE_DEADLINE_MS));
    if (info === 'other') return true;
    return info?.daemonId === daemon.daemonId && info.incarnation === daemon.incarnation;
  }

  /** gRPC is loaded with the first command: most requests send none, and a function on AWS starts for one request. */
  #channels(): Promise<DaemonChannels> {
    this.#loading ??= import('./DaemonChannels.ts').then(({ DaemonChannels }) => new DaemonChannels(this.#options.tls));
    return this.#loading;
  }

  async #call({ grpcAddress: address }: Target, deadlineMs: number): Promise<CommandCall> {
    if (!this.#token || Number(this.#token.expiresAt) - Date.now() < TOKEN_RENEWAL_MS)
      this.#token = await this.#options.sign();
    return { address, token: this.#token.token, deadlineMs };
  }
}
