import { setTimeout as delay } from 'node:timers/promises';
import { type Client, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { ControlPlaneError } from './ControlPlaneError.ts';
import { type ChannelTls, openChannel } from './channel.ts';
import { type Event, MediaDaemon, type PeerDetails, RoomEnd } from './gen/media/v1/daemon_pb.ts';
import { type CallSettings, type ServiceCalls, serviceCalls } from './grpc.ts';
import { type CommandToken, commandTokenSchema, type RoomInstances, roomInstancesSchema } from './http.ts';

/** The commands to a room. */
const roomMethods = [
  'getRoom',
  'closeRoom',
  'listPeers',
  'closePeer',
  'pauseProducer',
  'resumeProducer',
  'closeProducer',
  'sendNotification',
  'getStats',
] as const;
type RoomMethod = (typeof roomMethods)[number];
export type RoomCommands = Pick<ServiceCalls<typeof MediaDaemon>, RoomMethod>;

/** What watching a room gives: an event, or that events may have been missed, so that a list is to be asked for anew. */
export type Watched = { readonly is: 'event'; readonly event: Event } | { readonly is: 'missed' };

export type RoomClientOptions = {
  /** `https://control.example.com`. */
  readonly controlPlaneUrl: string;
  /** An access token with the grant `admin`, of one room or of all (`"room": "*"`); none in mode `open`. */
  readonly accessToken?: string | (() => string | Promise<string>);
  /** How the media daemons' gRPC servers are reached, where they speak TLS. */
  readonly tls?: ChannelTls;
  /** Milliseconds that a command may take, its repetitions included; 10,000 unless told. */
  readonly deadlineMs?: number;
};

type Place = {
  readonly daemonId: string;
  readonly incarnation: string;
  readonly epoch: number;
  readonly address: string;
};

/** Milliseconds between two looks for a room that is on its way. */
const RETRY_MS = 500;
/** How long a room that has closed is expected elsewhere, ms: its peers are on their way. */
const MOVE_MS = 15_000;
/** A cursor that no daemon has given has it tell everything that it remembers; so does one of another daemon. */
const EVERYTHING = 'everything';
/** After these a room goes on nowhere. */
const OVER: ReadonlySet<RoomEnd> = new Set([RoomEnd.EMPTY, RoomEnd.UNJOINED, RoomEnd.COMMAND]);
/** How long before its end a command token is replaced, ms. */
const TOKEN_RENEWAL_MS = 60_000;

/** Commands rooms wherever they are: asks the control plane where a room is, and follows it when it moves. */
export class RoomClient {
  /**
   * The commands, each as in `proto/media/v1/daemon.proto`. One that reaches no daemon is sent again until its deadline.
   * They reject with grpc-js's ServiceError, with ControlPlaneError (`ROOM_NOT_FOUND` for a room that is nowhere), or with
   * what `fetch` rejects with while the control plane cannot be reached.
   */
  readonly commands: RoomCommands;
  readonly #options: RoomClientOptions;
  readonly #places = new Map<string, Place>();
  readonly #tokens = new Map<string, CommandToken>();
  readonly #channels = new Map<string, { client: Client; calls: ServiceCalls<typeof MediaDaemon> }>();

  constructor(options: RoomClientOptions) {
    this.#options = options;
    this.commands = Object.fromEntries(
      roomMethods.map((method) => [
        method,
        (request: { roomId?: string }, settings: CallSettings = {}) => this.#command(method, request, settings),
      ]),
    ) as RoomCommands;
  }

  /** Every peer of a room, in the order of their ids. */
  async peers(roomId: string): Promise<PeerDetails[]> {
    const peers: PeerDetails[] = [];
    let pageToken = '';
    do {
      const page = await this.commands.listPeers({ roomId, pageToken });
      peers.push(...page.peers);
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    return peers;
  }

  /**
   * What happens in a room from now on, on whichever daemon it is, until it is over, or the signal aborts. A room that is
   * nowhere yet is waited for, and told of from its beginning.
   */
  async *watch(roomId: string, { signal }: { signal?: AbortSignal } = {}): AsyncGenerator<Watched, void> {
    const since = Date.now();
    let place = await this.#waitForPlace(roomId, Number.POSITIVE_INFINITY, signal);
    let cursor = Date.now() - since < RETRY_MS ? '' : EVERYTHING;
    while (place && !signal?.aborted) {
      let end: RoomEnd | undefined;
      try {
        const settings = await this.#settings(roomId, { ...(signal && { signal }) });
        for await (const { message, cursor: reached } of this.#calls(place).watchEvents({ roomId, cursor }, settings)) {
          cursor = reached;
          if (message.case === 'watching' && message.value.missed) yield { is: 'missed' };
          if (message.case !== 'event') continue;
          yield { is: 'event', event: message.value };
          if (message.value.kind.case === 'roomClosed') end = message.value.kind.value.end;
          if (end !== undefined) break;
        }
      } catch (error) {
        if (signal?.aborted) return;
        if (!isPassing(error)) throw error;
        await delay(RETRY_MS);
      }
      place = await this.#placeAfter(place, roomId, end, signal);
    }
  }

  /** Ends the connections. */
  close(): void {
    for (const { client } of this.#channels.values()) client.close();
    this.#channels.clear();
  }

  async #command(method: RoomMethod, request: { roomId?: string }, settings: CallSettings): Promise<unknown> {
    const roomId = request.roomId ?? '';
    const deadline = Number(settings.deadline ?? Date.now() + (this.#options.deadlineMs ?? 10_000));
    for (;;) {
      const place = this.#places.get(roomId) ?? (await this.#find(roomId));
      try {
        const given = await this.#settings(roomId, { ...settings, deadline });
        return await (this.#calls(place)[method] as (request: object, settings: CallSettings) => Promise<unknown>)(
          request,
          given,
        );
      } catch (error) {
        this.#places.delete(roomId);
        const { code } = error as ServiceError;
        // A room that is not there may have moved; what is not there although it has not, is not there.
        if (code === status.NOT_FOUND && isSame(await this.#find(roomId), place)) throw error;
        if (!isPassing(error) && code !== status.NOT_FOUND) throw error;
        if (Date.now() + RETRY_MS >= deadline) throw error;
        if (code !== status.NOT_FOUND) await delay(RETRY_MS);
      }
    }
  }

  /** Where to watch on after a stream that broke, or in which the room ended; undefined when it is over. */
  async #placeAfter(
    last: Place,
    roomId: string,
    end: RoomEnd | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Place | undefined> {
    if (end !== undefined && OVER.has(end)) return undefined;
    const until = Date.now() + MOVE_MS;
    for (;;) {
      const place = await this.#waitForPlace(roomId, until, signal);
      // The record of a room that has ended may take a moment to follow.
      if (!place || end === undefined || !isSame(place, last) || Date.now() > until) return place;
      await delay(RETRY_MS);
    }
  }

  async #waitForPlace(roomId: string, until: number, signal: AbortSignal | undefined): Promise<Place | undefined> {
    while (!signal?.aborted) {
      try {
        return await this.#find(roomId);
      } catch (error) {
        if (!isPassing(error) && (error as Partial<ControlPlaneError>).code !== 'ROOM_NOT_FOUND') throw error;
        if (Date.now() > until) return undefined;
        await delay(RETRY_MS);
      }
    }
    return undefined;
  }

  async #find(roomId: string): Promise<Place> {
    const answer = await this.#ask('GET', `rooms/${encodeURIComponent(roomId)}/instances`);
    const { instances, epoch }: RoomInstances = roomInstancesSchema.parse(answer);
    const [instance] = instances;
    if (!instance?.daemon) throw ControlPlaneError.roomNotFound();
    const { daemonId, incarnation, daemon } = instance;
    const place = { daemonId, incarnation, epoch, address: daemon.grpcAddress };
    this.#places.set(roomId, place);
    return place;
  }

  /** What goes with a call: the token above all. */
  async #settings(roomId: string, settings: CallSettings): Promise<CallSettings> {
    let token = this.#tokens.get(roomId);
    if (!token || Date.parse(token.expiresAt) - Date.now() < TOKEN_RENEWAL_MS) {
      const soon = Date.now() + TOKEN_RENEWAL_MS;
      for (const [of, { expiresAt }] of this.#tokens) if (Date.parse(expiresAt) < soon) this.#tokens.delete(of);
      token = commandTokenSchema.parse(await this.#ask('POST', 'command-tokens', { roomId }));
      this.#tokens.set(roomId, token);
    }
    const metadata = settings.metadata?.clone() ?? new Metadata();
    metadata.set('authorization', `Bearer ${token.token}`);
    return { ...settings, metadata };
  }

  #calls({ address }: Place): ServiceCalls<typeof MediaDaemon> {
    let channel = this.#channels.get(address);
    if (!channel) {
      const client = openChannel(address, this.#options.tls, {
        // A daemon that is cut off is noticed although it ends no connection.
        'grpc.keepalive_time_ms': 10_000,
        'grpc.keepalive_timeout_ms': 5000,
        'grpc.max_reconnect_backoff_ms': 1000,
      });
      channel = { client, calls: serviceCalls(MediaDaemon, client) };
      this.#channels.set(address, channel);
    }
    return channel.calls;
  }

  async #ask(method: string, path: string, body?: object): Promise<unknown> {
    const { controlPlaneUrl, accessToken, deadlineMs = 10_000 } = this.#options;
    const token = typeof accessToken === 'function' ? await accessToken() : accessToken;
    const answer = await fetch(`${controlPlaneUrl.replace(/\/+$/, '')}/${path}`, {
      method,
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(body && { 'content-type': 'application/json' }),
      },
      signal: AbortSignal.timeout(deadlineMs),
      ...(body && { body: JSON.stringify(body) }),
    });
    if (answer.ok) return answer.json();
    throw await ControlPlaneError.from(answer);
  }
}

const isSame = (a: Place, b: Place): boolean =>
  a.daemonId === b.daemonId && a.incarnation === b.incarnation && a.epoch === b.epoch;

/** Whether a failure is one of the moment: nobody answers, or too many ask. */
function isPassing(error: unknown): boolean {
  if (error instanceof ControlPlaneError) return error.status === 503 || error.status === 429;
  const { code } = error as Partial<ServiceError>;
  if (typeof code === 'number') return code === status.UNAVAILABLE;
  // What `fetch` rejects with.
  return error instanceof TypeError || (error instanceof DOMException && error.name === 'TimeoutError');
}
