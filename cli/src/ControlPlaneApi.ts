import { ControlPlaneError } from '@mediasoup-server/proto/ControlPlaneError';
import {
  type CommandScope,
  commandTokenSchema,
  type DaemonInfo,
  daemonListSchema,
  type RoomInfo,
  type RoomInstances,
  roomInstancesSchema,
  roomListSchema,
} from '@mediasoup-server/proto/http';
import { CliError } from './CliError.ts';

/** How long an answer may take, ms. */
const DEADLINE_MS = 10_000;
/** The largest page that the control plane answers. */
const PAGE = 1000;

export type ControlPlaneOptions = { readonly controlPlane: string; readonly token?: string };
export type Page<T> = { readonly items: readonly T[]; readonly cursor?: string | undefined };
export type PageRequest = { readonly limit?: number | undefined; readonly cursor?: string | undefined };

/** Calls the control plane's routes for operators. They reject with CliError. */
export class ControlPlaneApi {
  readonly #options: ControlPlaneOptions;

  constructor(options: ControlPlaneOptions) {
    this.#options = options;
  }

  async daemons(page: PageRequest = {}): Promise<Page<DaemonInfo>> {
    const { daemons: items, cursor } = daemonListSchema.parse(await this.#list('daemons', page));
    return { items, cursor };
  }

  async rooms(page: PageRequest = {}): Promise<Page<RoomInfo>> {
    const { rooms: items, cursor } = roomListSchema.parse(await this.#list('rooms', page));
    return { items, cursor };
  }

  /** Every daemon of the fleet. */
  async allDaemons(): Promise<DaemonInfo[]> {
    const daemons: DaemonInfo[] = [];
    let cursor: string | undefined;
    do {
      const page = await this.daemons({ limit: PAGE, cursor });
      daemons.push(...page.items);
      cursor = page.cursor;
    } while (cursor !== undefined);
    return daemons;
  }

  /** @returns undefined when no daemon has the room. */
  async instances(roomId: string): Promise<RoomInstances | undefined> {
    try {
      return roomInstancesSchema.parse(await this.#ask('GET', `rooms/${encodeURIComponent(roomId)}/instances`));
    } catch (error) {
      if (error instanceof RefusedError && error.code === 'ROOM_NOT_FOUND') return undefined;
      throw error;
    }
  }

  async commandToken(scopes: readonly CommandScope[]): Promise<string> {
    return commandTokenSchema.parse(await this.#ask('POST', 'command-tokens', { scopes })).token;
  }

  #list(path: string, { limit, cursor }: PageRequest): Promise<unknown> {
    const query = new URLSearchParams({
      ...(limit !== undefined && { limit: String(limit) }),
      ...(cursor !== undefined && { cursor }),
    });
    return this.#ask('GET', `${path}?${query}`);
  }

  async #ask(method: string, path: string, body?: object): Promise<unknown> {
    const { controlPlane, token } = this.#options;
    const answer = await fetch(`${controlPlane.replace(/\/+$/, '')}/${path}`, {
      method,
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(body && { 'content-type': 'application/json' }),
      },
      signal: AbortSignal.timeout(DEADLINE_MS),
      ...(body && { body: JSON.stringify(body) }),
    }).catch((error: Error) => {
      const cause = error.cause instanceof Error ? error.cause.message : error.message;
      throw new CliError(`cannot reach the control plane at ${controlPlane}: ${cause}`, 3);
    });
    if (answer.ok) return answer.json();
    const { status, code, message } = await ControlPlaneError.from(answer);
    throw new RefusedError(code, `the control plane answered ${status} ${code}: ${message}`);
  }
}

/** The control plane's refusal, with the code of its problem. */
class RefusedError extends CliError {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}
