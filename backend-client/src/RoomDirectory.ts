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

/** Where a room is. */
export type RoomLocation = {
  readonly daemonId: string;
  readonly incarnation: string;
  readonly epoch: number;
  /** Of the daemon's gRPC server, `host:port`. */
  readonly address: string;
};

export const isSame = (a: RoomLocation, b: RoomLocation): boolean =>
  a.daemonId === b.daemonId && a.incarnation === b.incarnation && a.epoch === b.epoch;

/** How long before its end a command token is replaced, ms. */
const TOKEN_RENEWAL_MS = 60_000;

/** What the control plane tells of rooms: where each is, and the tokens to command it with. */
export class RoomDirectory {
  readonly #options: RoomDirectoryOptions;
  readonly #locations = new Map<string, RoomLocation>();
  readonly #tokens = new Map<string, CommandToken>();

  constructor(options: RoomDirectoryOptions) {
    this.#options = options;
  }

  /** Where a room was when it was last looked for, unless that turned out to be wrong. */
  known(roomId: string): RoomLocation | undefined {
    return this.#locations.get(roomId);
  }

  forget(roomId: string): void {
    this.#locations.delete(roomId);
  }

  /**
   * Asks where a room is.
   *
   * @throws ControlPlaneError `ROOM_NOT_FOUND` where it is nowhere; what `fetch` rejects with.
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

  /** A token that commands a room, and whether it was there already. */
  async token(roomId: string, signal: AbortSignal): Promise<{ token: string; wasKept: boolean }> {
    const soon = Date.now() + TOKEN_RENEWAL_MS;
    for (const [of, { expiresAt }] of this.#tokens) if (Date.parse(expiresAt) < soon) this.#tokens.delete(of);
    const kept = this.#tokens.get(roomId);
    if (kept) return { token: kept.token, wasKept: true };
    const given = commandTokenSchema.parse(await this.#ask('POST', 'command-tokens', signal, { roomId }));
    this.#tokens.set(roomId, given);
    return { token: given.token, wasKept: false };
  }

  /** Has the next token asked for, since the present one was refused. */
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
