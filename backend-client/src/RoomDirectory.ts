import { ControlPlaneError } from '@mediasoup-server/proto/ControlPlaneError';
import {
  type CommandToken,
  commandTokenSchema,
  type RoomInstances,
  roomInstancesSchema,
} from '@mediasoup-server/proto/http';

export type RoomDirectoryOptions = {
  /** `https://control.example.com`. */
  readonly controlPlaneUrl: string;
  /** An access token with the grant `admin`, of one room or of all (`"room": "*"`); none in mode `open`. */
  readonly accessToken?: string | (() => string | Promise<string>);
};

/** The daemon that has a room. */
export type RoomLocation = {
  readonly daemonId: string;
  readonly incarnation: string;
  readonly epoch: number;
  /** The daemon's gRPC server, `host:port`. */
  readonly address: string;
};

export const isSame = (a: RoomLocation, b: RoomLocation): boolean =>
  a.daemonId === b.daemonId && a.incarnation === b.incarnation && a.epoch === b.epoch;

/** A command token is replaced this long before it expires, ms. */
const TOKEN_RENEWAL_MS = 60_000;

/** Asks the control plane for the locations of rooms and for command tokens, and caches both. */
export class RoomDirectory {
  readonly #options: RoomDirectoryOptions;
  readonly #locations = new Map<string, RoomLocation>();
  readonly #tokens = new Map<string, CommandToken>();

  constructor(options: RoomDirectoryOptions) {
    this.#options = options;
  }

  /** The cached location of a room. */
  known(roomId: string): RoomLocation | undefined {
    return this.#locations.get(roomId);
  }

  forget(roomId: string): void {
    this.#locations.delete(roomId);
  }

  /**
   * Asks for the location of a room.
   *
   * @throws ControlPlaneError `ROOM_NOT_FOUND` if no daemon has it; Error of `fetch`.
   */
  async find(roomId: string, signal: AbortSignal): Promise<RoomLocation> {
    this.forget(roomId);
    const answer = await this.#ask('GET', `rooms/${encodeURIComponent(roomId)}/instances`, signal);
    const { instances, epoch }: RoomInstances = roomInstancesSchema.parse(answer);
    const [instance] = instances;
    if (!instance?.daemon) throw ControlPlaneError.roomNotFound();
    const { daemonId, incarnation, daemon } = instance;
    const location = { daemonId, incarnation, epoch, address: daemon.grpcAddress };
    this.#locations.set(roomId, location);
    return location;
  }

  /** A command token for a room, and whether it was cached. */
  async token(roomId: string, signal: AbortSignal): Promise<{ token: string; wasCached: boolean }> {
    const soon = Date.now() + TOKEN_RENEWAL_MS;
    for (const [of, { expiresAt }] of this.#tokens) if (Date.parse(expiresAt) < soon) this.#tokens.delete(of);
    const cached = this.#tokens.get(roomId);
    if (cached) return { token: cached.token, wasCached: true };
    const given = commandTokenSchema.parse(await this.#ask('POST', 'command-tokens', signal, { roomId }));
    this.#tokens.set(roomId, given);
    return { token: given.token, wasCached: false };
  }

  /** Drops a cached token that was refused. */
  forgetToken(roomId: string): void {
    this.#tokens.delete(roomId);
  }

  async #ask(method: string, path: string, signal: AbortSignal, body?: object): Promise<unknown> {
    const { controlPlaneUrl, accessToken } = this.#options;
    const token = typeof accessToken === 'function' ? await accessToken() : accessToken;
    const answer = await fetch(`${controlPlaneUrl.replace(/\/+$/, '')}/${path}`, {
      method,
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(body && { 'content-type': 'application/json' }),
      },
      signal,
      ...(body && { body: JSON.stringify(body) }),
    });
    if (answer.ok) return answer.json();
    throw await ControlPlaneError.from(answer);
  }
}
