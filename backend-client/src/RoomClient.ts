import { setTimeout as delay } from 'node:timers/promises';
import { MethodOptions_IdempotencyLevel } from '@bufbuild/protobuf/wkt';
import { type Client, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { ControlPlaneError } from '@mediasoup-server/proto/ControlPlaneError';
import { type Event, MediaDaemon, type PeerDetails, RoomEnd, type Stats } from '@mediasoup-server/proto/daemon';
import { type CallSettings, type ServiceCalls, serviceCalls } from './calls.ts';
import { type ChannelTls, openChannel } from './channel.ts';
import { isSame, RoomDirectory, type RoomDirectoryOptions, type RoomLocation } from './RoomDirectory.ts';

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
export type Watched = ({ readonly is: 'event'; readonly event: Event } | { readonly is: 'missed' }) & {
  /** Where to watch on from, in another process too. */
  readonly cursor: string;
};

export type RoomClientOptions = RoomDirectoryOptions & {
  /** How the media daemons' gRPC servers are reached, where they speak TLS. */
  readonly tls?: ChannelTls;
  /** Milliseconds that a command may take, its repetitions included; 10,000 unless told. */
  readonly deadlineMs?: number;
};

type Channel = { readonly client: Client; readonly calls: ServiceCalls<typeof MediaDaemon> };

/** Milliseconds between two looks for a room that is on its way. */
const RETRY_MS = 500;
/** How long a room that has closed is expected elsewhere, ms: its peers are on their way. */
const MOVE_MS = 15_000;
/** A cursor that no daemon has given has it tell everything that it remembers of the room; so does one of another daemon. */
const EVERYTHING = 'everything';
/** After these a room goes on nowhere. */
const OVER: ReadonlySet<RoomEnd> = new Set([RoomEnd.EMPTY, RoomEnd.UNJOINED, RoomEnd.COMMAND]);

/** Commands rooms wherever they are: asks the control plane where a room is, and follows it when it moves. */
export class RoomClient {
  /**
   * The commands, each as in `proto/media/v1/daemon.proto`. Until its deadline one is sent again that reached no daemon, or,
   * where it may be repeated, got no answer. They reject with grpc-js's ServiceError, with ControlPlaneError
   * (`ROOM_NOT_FOUND` for a room that is nowhere), or with what `fetch` rejects with while the control plane cannot be
   * reached.
   */
  readonly commands: RoomCommands;
  readonly #options: RoomClientOptions;
  readonly #directory: RoomDirectory;
  readonly #channels = new Map<string, Channel>();

  constructor(options: RoomClientOptions) {
    this.#options = options;
    this.#directory = new RoomDirectory(options);
    this.commands = Object.fromEntries(
      roomMethods.map((method) => [
        method,
        (request: { roomId?: string }, settings: CallSettings = {}) => this.#command(method, request, settings),
      ]),
    ) as RoomCommands;
  }

  /** Every peer of a room, in the order of their ids. */
  peers(roomId: string): Promise<PeerDetails[]> {
    return everyPage(async (pageToken) => {
      const { peers, nextPageToken } = await this.commands.listPeers({ roomId, pageToken });
      return [peers, nextPageToken];
    });
  }

  /** mediasoup's statistics of everything that a peer has. */
  stats(roomId: string, peerId: string): Promise<Stats[]> {
    return everyPage(async (pageToken) => {
      const { stats, nextPageToken } = await this.commands.getStats({ roomId, peerId, pageToken });
      return [stats, nextPageToken];
    });
  }

  /**
   * What happens in a room from now or a cursor on, on whichever daemon it is, until it is over, or the signal aborts. A
   * room that is nowhere yet is waited for, and told of from its beginning.
   */
  async *watch(
    roomId: string,
    { signal, cursor: from }: { signal?: AbortSignal; cursor?: string } = {},
  ): AsyncGenerator<Watched, void> {
    const since = Date.now();
    let location = await this.#waitForLocation(roomId, Number.POSITIVE_INFINITY, signal);
    let cursor = from ?? (Date.now() - since < RETRY_MS ? '' : EVERYTHING);
    while (location && !signal?.aborted) {
      let end: RoomEnd | undefined;
      let wasKept = false;
      let isElsewhere = false;
      try {
        const given = await this.#directory.token(roomId, this.#patience(signal));
        wasKept = given.wasKept;
        const settings = { metadata: bearing(given.token), ...(signal && { signal }) };
        for await (const { message, cursor: reached } of this.#channel(location).calls.watchEvents(
          { roomId, cursor },
          settings,
        )) {
          cursor = reached;
          // A stream that began ends when its token expires, and goes on with the next token.
          wasKept = true;
          if (message.case === 'event') {
            yield { is: 'event', event: message.value, cursor };
            if (message.value.kind.case === 'roomClosed') end = message.value.kind.value.end;
            if (end !== undefined) break;
          } else {
            if (message.value?.missed) yield { is: 'missed', cursor };
            // Once the room is not there, the stream tells at most what is left, and then nothing until it says so.
            if (isElsewhere) break;
            isElsewhere = !(await this.#isAt(location, roomId, signal));
          }
        }
      } catch (error) {
        if (signal?.aborted) return;
        if (!this.#isPassing(error, roomId, wasKept) && !isGone(error)) throw error;
        await pause(signal);
      }
      location = await this.#locationAfter(location, roomId, end, signal);
    }
  }

  /** Ends the connections. */
  close(): void {
    for (const { client } of this.#channels.values()) client.close();
    this.#channels.clear();
  }

  async #command(method: RoomMethod, request: { roomId?: string }, settings: CallSettings): Promise<unknown> {
    const roomId = request.roomId ?? '';
    const deadline = Number(settings.deadline ?? Date.now() + this.#deadlineMs);
    const patience = this.#patience(settings.signal, deadline - Date.now());
    for (;;) {
      let location: RoomLocation | undefined;
      let wasKept = false;
      let mayHaveReached = false;
      try {
        location = this.#directory.known(roomId) ?? (await this.#directory.find(roomId, patience));
        const given = await this.#directory.token(roomId, patience);
        wasKept = given.wasKept;
        const { client, calls } = this.#channel(location);
        if (!mayRepeat(method)) {
          await connected(client, Math.min(deadline, Date.now() + RETRY_MS));
          mayHaveReached = true;
        }
        const call = calls[method] as (request: object, settings: CallSettings) => Promise<unknown>;
        return await call(request, { ...settings, deadline, metadata: bearing(given.token, settings.metadata) });
      } catch (error) {
        this.#directory.forget(roomId);
        const isMissing = (error as ServiceError).code === status.NOT_FOUND;
        // A room that is not there may have moved; what is not there although it has not, is not there.
        if (location && isMissing && isSame(await this.#directory.find(roomId, patience), location)) throw error;
        const isPassing = this.#isPassing(error, roomId, wasKept) && !mayHaveReached;
        if (settings.signal?.aborted || !(isPassing || isMissing) || Date.now() + RETRY_MS >= deadline) throw error;
        if (!isMissing) await pause(settings.signal);
      }
    }
  }

  async #isAt(location: RoomLocation, roomId: string, signal: AbortSignal | undefined): Promise<boolean> {
    try {
      return isSame(await this.#directory.find(roomId, this.#patience(signal)), location);
    } catch (error) {
      if (isGone(error)) return false;
      throw error;
    }
  }

  /** Where to watch on after a stream that broke, or in which the room ended; undefined when it is over. */
  async #locationAfter(
    last: RoomLocation,
    roomId: string,
    end: RoomEnd | undefined,
    signal: AbortSignal | undefined,
  ): Promise<RoomLocation | undefined> {
    if (end !== undefined && OVER.has(end)) return undefined;
    const until = Date.now() + MOVE_MS;
    for (;;) {
      const location = await this.#waitForLocation(roomId, until, signal);
      // The record of a room that has ended may take a moment to follow.
      if (!location || end === undefined || !isSame(location, last) || Date.now() > until) return location;
      await pause(signal);
    }
  }

  async #waitForLocation(
    roomId: string,
    until: number,
    signal: AbortSignal | undefined,
  ): Promise<RoomLocation | undefined> {
    while (!signal?.aborted) {
      try {
        return await this.#directory.find(roomId, this.#patience(signal));
      } catch (error) {
        if (signal?.aborted) return undefined;
        if (!this.#isPassing(error, roomId, false) && !isGone(error)) throw error;
        if (Date.now() > until) return undefined;
        await pause(signal);
      }
    }
    return undefined;
  }

  /** Whether a failure is one of the moment: nobody answers, too many ask, or a token that was kept is not good any more. */
  #isPassing(error: unknown, roomId: string, tokenWasKept: boolean): boolean {
    if (error instanceof ControlPlaneError) return error.status === 503 || error.status === 429;
    const { code } = error as Partial<ServiceError>;
    if (code === status.UNAUTHENTICATED && tokenWasKept) {
      this.#directory.forgetToken(roomId);
      return true;
    }
    // A server that ends may cancel what it cannot finish.
    if (typeof code === 'number' && code in status) return code === status.UNAVAILABLE || code === status.CANCELLED;
    // What `fetch` rejects with.
    return error instanceof TypeError || (error instanceof DOMException && error.name === 'TimeoutError');
  }

  get #deadlineMs(): number {
    return this.#options.deadlineMs ?? 10_000;
  }

  /** How long the control plane is waited for. */
  #patience(signal: AbortSignal | undefined, ms = this.#deadlineMs): AbortSignal {
    const patience = AbortSignal.timeout(Math.max(1, Math.min(ms, 2 ** 31 - 1)));
    return signal ? AbortSignal.any([signal, patience]) : patience;
  }

  #channel({ address }: RoomLocation): Channel {
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
    return channel;
  }
}

async function everyPage<T>(ask: (pageToken: string) => Promise<[page: T[], next: string]>): Promise<T[]> {
  const all: T[] = [];
  for (let token = ''; ; ) {
    const [page, next] = await ask(token);
    all.push(...page);
    if (next === '') return all;
    token = next;
  }
}

/** Whether a command does no harm when it is carried out twice, as the service declares. */
const mayRepeat = (method: RoomMethod): boolean =>
  MediaDaemon.method[method].idempotency !== MethodOptions_IdempotencyLevel.IDEMPOTENCY_UNKNOWN;

/** The metadata that a command token goes with. */
function bearing(token: string, given = new Metadata()): Metadata {
  const metadata = given.clone();
  metadata.set('authorization', `Bearer ${token}`);
  return metadata;
}

/** Waits for the connection. @throws an error of the code UNAVAILABLE. */
const connected = (client: Client, until: number): Promise<void> =>
  new Promise((resolve, reject) =>
    client.waitForReady(until, (error) => {
      if (error) reject(Object.assign(new Error('the media daemon cannot be reached'), { code: status.UNAVAILABLE }));
      else resolve();
    }),
  );

const isGone = (error: unknown): boolean => (error as Partial<ControlPlaneError>).code === 'ROOM_NOT_FOUND';

/** Waits before the next try, or until the signal aborts. */
async function pause(signal: AbortSignal | undefined): Promise<void> {
  await delay(RETRY_MS, undefined, signal ? { signal } : {}).catch(() => {});
}
