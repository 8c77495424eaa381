import { setTimeout as delay } from 'node:timers/promises';
import { MethodOptions_IdempotencyLevel } from '@bufbuild/protobuf/wkt';
import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { ControlPlaneError } from '@mediasoup-server/proto/ControlPlaneError';
import { type Event, MediaDaemon, type PeerDetails, RoomEnd, type Stats } from '@mediasoup-server/proto/daemon';
import type { CallSettings, ServiceCalls } from './calls.ts';
import type { ChannelTls } from './channel.ts';
import { connected, DaemonConnections } from './DaemonConnections.ts';
import { everyPage } from './everyPage.ts';
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

/** What `watch` yields: an event, or `missed`, after which the caller lists the peers again. */
export type Watched = ({ readonly is: 'event'; readonly event: Event } | { readonly is: 'missed' }) & {
  /** Continues the watch from here, also in another process. */
  readonly cursor: string;
};

export type RoomClientOptions = RoomDirectoryOptions & {
  /** For media daemons whose gRPC servers speak TLS. */
  readonly tls?: ChannelTls;
  /** The deadline of a command and its repetitions, ms; 10,000 by default. */
  readonly deadlineMs?: number;
};

/** The wait between two tries, ms. */
const RETRY_MS = 500;
/** How long a watch waits for a closed room to open on another daemon, ms: its peers are moving there. */
const MOVE_MS = 15_000;
/** An unknown cursor: the daemon sends every event of the room that it remembers. A cursor of another daemon does the same. */
const EVERYTHING = 'everything';
/** Ends after which a room does not continue on another daemon. */
const OVER: ReadonlySet<RoomEnd> = new Set([RoomEnd.EMPTY, RoomEnd.UNJOINED, RoomEnd.COMMAND]);

/** Commands rooms: asks the control plane for a room's daemon, and follows the room when it moves. */
export class RoomClient {
  /**
   * The commands of `proto/media/v1/daemon.proto`. Until its deadline, a command is repeated if it reached no daemon, or if
   * it got no answer and may be repeated. They reject with grpc-js's ServiceError, with ControlPlaneError (`ROOM_NOT_FOUND`
   * if no daemon has the room), or with the error of `fetch` if the control plane cannot be reached.
   */
  readonly commands: RoomCommands;
  readonly #options: RoomClientOptions;
  readonly #directory: RoomDirectory;
  readonly #connections: DaemonConnections;

  constructor(options: RoomClientOptions) {
    this.#options = options;
    this.#directory = new RoomDirectory(options);
    this.#connections = new DaemonConnections(options.tls);
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

  /** mediasoup's statistics of a peer's transports, producers and consumers. */
  stats(roomId: string, peerId: string): Promise<Stats[]> {
    return everyPage(async (pageToken) => {
      const { stats, nextPageToken } = await this.commands.getStats({ roomId, peerId, pageToken });
      return [stats, nextPageToken];
    });
  }

  /**
   * Yields a room's events from now or from a cursor on, on whichever daemon it is, until the room ends or the signal
   * aborts. If no daemon has the room yet, it waits for the room and yields its events from the beginning.
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
      let wasCached = false;
      let isElsewhere = false;
      try {
        const given = await this.#directory.token(roomId, this.#patience(signal));
        wasCached = given.wasCached;
        const settings = { metadata: bearing(given.token), ...(signal && { signal }) };
        for await (const { message, cursor: reached } of this.#connections
          .to(location.address)
          .calls.watchEvents({ roomId, cursor }, settings)) {
          cursor = reached;
          // A stream ends when its token expires, and continues with the next token.
          wasCached = true;
          if (message.case === 'event') {
            yield { is: 'event', event: message.value, cursor };
            if (message.value.kind.case === 'roomClosed') end = message.value.kind.value.end;
            if (end !== undefined) break;
          } else {
            if (message.value?.missed) yield { is: 'missed', cursor };
            // After the room has moved, the stream sends only the remaining events.
            if (isElsewhere) break;
            isElsewhere = !(await this.#isAt(location, roomId, signal));
          }
        }
      } catch (error) {
        if (signal?.aborted) return;
        if (!this.#isPassing(error, roomId, wasCached) && !isGone(error)) throw error;
        await pause(signal);
      }
      location = await this.#locationAfter(location, roomId, end, signal);
    }
  }

  /** Closes the connections. */
  close(): void {
    this.#connections.close();
  }

  async #command(method: RoomMethod, request: { roomId?: string }, settings: CallSettings): Promise<unknown> {
    const roomId = request.roomId ?? '';
    const deadline = Number(settings.deadline ?? Date.now() + this.#deadlineMs);
    const patience = this.#patience(settings.signal, deadline - Date.now());
    for (;;) {
      let location: RoomLocation | undefined;
      let wasCached = false;
      let mayHaveReached = false;
      try {
        location = this.#directory.known(roomId) ?? (await this.#directory.find(roomId, patience));
        const given = await this.#directory.token(roomId, patience);
        wasCached = given.wasCached;
        const { client, calls } = this.#connections.to(location.address);
        if (!mayRepeat(method)) {
          await connected(client, Math.min(deadline, Date.now() + RETRY_MS));
          mayHaveReached = true;
        }
        const call = calls[method] as (request: object, settings: CallSettings) => Promise<unknown>;
        return await call(request, { ...settings, deadline, metadata: bearing(given.token, settings.metadata) });
      } catch (error) {
        this.#directory.forget(roomId);
        const isMissing = (error as ServiceError).code === status.NOT_FOUND;
        // The room may have moved. If it has not, the peer or producer does not exist.
        if (location && isMissing && isSame(await this.#directory.find(roomId, patience), location)) throw error;
        const isPassing = this.#isPassing(error, roomId, wasCached) && !mayHaveReached;
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

  /** The location to continue a watch at after the stream ended; undefined if the room is over. */
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
      // The control plane may learn a moment later that the room has ended.
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

  /** Whether a failure is temporary: no answer, a rate limit, or a cached token that has expired. */
  #isPassing(error: unknown, roomId: string, tokenWasCached: boolean): boolean {
    if (error instanceof ControlPlaneError) return error.status === 503 || error.status === 429;
    const { code } = error as Partial<ServiceError>;
    if (code === status.UNAUTHENTICATED && tokenWasCached) {
      this.#directory.forgetToken(roomId);
      return true;
    }
    // A server that shuts down may cancel calls.
    if (typeof code === 'number' && code in status) return code === status.UNAVAILABLE || code === status.CANCELLED;
    // Errors of `fetch`.
    return error instanceof TypeError || (error instanceof DOMException && error.name === 'TimeoutError');
  }

  get #deadlineMs(): number {
    return this.#options.deadlineMs ?? 10_000;
  }

  /** Limits the wait for the control plane. */
  #patience(signal: AbortSignal | undefined, ms = this.#deadlineMs): AbortSignal {
    const patience = AbortSignal.timeout(Math.max(1, Math.min(ms, 2 ** 31 - 1)));
    return signal ? AbortSignal.any([signal, patience]) : patience;
  }
}

/** Whether the service declares that the command may be repeated. */
const mayRepeat = (method: RoomMethod): boolean =>
  MediaDaemon.method[method].idempotency !== MethodOptions_IdempotencyLevel.IDEMPOTENCY_UNKNOWN;

/** The metadata with a command token. */
function bearing(token: string, given = new Metadata()): Metadata {
  const metadata = given.clone();
  metadata.set('authorization', `Bearer ${token}`);
  return metadata;
}

const isGone = (error: unknown): boolean => (error as Partial<ControlPlaneError>).code === 'ROOM_NOT_FOUND';

/** Waits before the next try, or until the signal aborts. */
async function pause(signal: AbortSignal | undefined): Promise<void> {
  await delay(RETRY_MS, undefined, signal ? { signal } : {}).catch(() => {});
}
