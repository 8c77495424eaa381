import { requestAssignment } from './assignment.ts';
import { backoffMs } from './backoff.ts';
import { RoomError } from './errors.ts';
import { TypedEmitter } from './events.ts';
import { LocalTrack, type PublishOptions } from './LocalTrack.ts';
import type { RemoteTrack } from './RemoteTrack.ts';
import { Session } from './Session.ts';

/** How often the first join is attempted where a daemon, though assigned, cannot be reached. */
const MOST_JOIN_ATTEMPTS = 3;

export interface JoinOptions {
  /** The control plane's origin, for example `https://meet.example.org`. */
  readonly controlPlaneUrl: string;
  readonly roomId: string;
  /** Unique in the room: a second connection with the same id replaces the first. */
  readonly peerId: string;
  /** What the other peers are told about this one; by convention `displayName` is its name. */
  readonly appData?: Record<string, unknown>;
  /** The application's access token, where the service asks for one. */
  readonly accessToken?: string;
}

export type RoomState =
  | { readonly status: 'connecting' }
  | { readonly status: 'connected'; readonly daemonId: string }
  | { readonly status: 'reconnecting'; readonly attempt: number }
  /** `reason` is missing where the peer itself left. */
  | { readonly status: 'closed'; readonly reason?: RoomError };

export interface RoomEvents {
  peerJoined: [peerId: string, appData: Record<string, unknown>];
  peerLeft: [peerId: string];
  trackSubscribed: [track: RemoteTrack];
  trackUnsubscribed: [track: RemoteTrack];
  trackMuted: [track: RemoteTrack];
  trackUnmuted: [track: RemoteTrack];
  trackPublished: [track: LocalTrack];
  /** Closed by its owner, because it ended, or because the server refused it after a reconnection. */
  trackUnpublished: [track: LocalTrack];
  stateChanged: [state: RoomState];
}

/**
 * A room as one peer sees it. It subscribes to every track of the others, and survives the loss of sockets and daemons:
 * it then asks for a new assignment, joins again and publishes the same local tracks.
 */
export class Room extends TypedEmitter<RoomEvents> {
  readonly roomId: string;
  readonly peerId: string;
  readonly #options: JoinOptions;
  readonly #peers = new Map<string, Record<string, unknown>>();
  readonly #localTracks = new Set<LocalTrack>();
  readonly #remoteTracks = new Set<RemoteTrack>();
  readonly #leaving = new AbortController();
  #session: Session | undefined;
  #state: RoomState = { status: 'connecting' };
  /** The daemon that the next assignment is told not to trust. */
  #failedDaemonId: string | undefined;

  /**
   * Joins a room, which the service makes where there is none.
   *
   * @throws {RoomError} saying why not; nothing is left open then
   */
  static async join(options: JoinOptions): Promise<Room> {
    const room = new Room(options);
    for (let attempt = 1; ; attempt++) {
      try {
        await room.#connect();
        return room;
      } catch (error) {
        const reason = RoomError.from(error);
        if (reason.code !== 'DAEMON_UNREACHABLE' && reason.code !== 'CONNECTION_LOST') throw reason;
        if (attempt === MOST_JOIN_ATTEMPTS) throw reason;
        await room.#sleep(backoffMs(attempt + 1));
      }
    }
  }

  private constructor(options: JoinOptions) {
    super();
    this.#options = options;
    this.roomId = options.roomId;
    this.peerId = options.peerId;
  }

  get state(): RoomState {
    return this.#state;
  }

  /** The other peers' `appData` by their ids. While reconnecting, those from before. */
  get peers(): ReadonlyMap<string, Readonly<Record<string, unknown>>> {
    return this.#peers;
  }

  get localTracks(): readonly LocalTrack[] {
    return [...this.#localTracks];
  }

  get remoteTracks(): readonly RemoteTrack[] {
    return [...this.#remoteTracks];
  }

  /**
   * Publishes a track; during a reconnection it is published when that is over.
   *
   * @throws {RoomError} where the server refuses it
   */
  async publish(track: MediaStreamTrack, options: PublishOptions = {}): Promise<LocalTrack> {
    if (this.#state.status === 'closed') throw new RoomError('ROOM_CLOSED', 'The room is closed');
    const local = new LocalTrack(track, options, {
      muteChanged: (changed) => this.#whileConnected((session) => session.setPaused(changed)),
      closed: (closed) => {
        if (this.#localTracks.delete(closed)) this.emit('trackUnpublished', closed);
        return this.#whileConnected((session) => session.unproduce(closed));
      },
    });
    this.#localTracks.add(local);
    this.emit('trackPublished', local);
    try {
      await this.#whileConnected((session) => session.produce(local));
    } catch (error) {
      await local.close().catch(() => {});
      throw RoomError.from(error);
    }
    return local;
  }

  /** Leaves the room, for good. Idempotent. */
  leave(): void {
    this.#close();
  }

  /** The statistics of what is received: one report for each connection, none while there is no connection. */
  async getStats(): Promise<RTCStatsReport[]> {
    return (await this.#session?.getStats()) ?? [];
  }

  async #connect(): Promise<void> {
    const { controlPlaneUrl, roomId, peerId, accessToken, appData = {} } = this.#options;
    const signal = this.#leaving.signal;
    const failedDaemonId = this.#failedDaemonId;
    const assignment = await requestAssignment({
      controlPlaneUrl,
      roomId,
      accessToken,
      request: { peerId, ...(failedDaemonId === undefined ? {} : { failedDaemonId }) },
      signal,
    });
    if (assignment.retryAfterMs !== undefined) await this.#sleep(assignment.retryAfterMs);
    signal.throwIfAborted();
    // Until its socket is open it is under suspicion; after that it is only when it is lost.
    this.#failedDaemonId = assignment.daemonId;
    const session = await Session.open({ assignment, appData });
    if (signal.aborted) {
      session.close();
      signal.throwIfAborted();
    }
    this.#failedDaemonId = undefined;
    this.#adopt(session);
  }

  #adopt(session: Session): void {
    this.#session = session;
    session.on('peerJoined', (peerId, appData) => this.#addPeer(peerId, appData));
    session.on('peerLeft', (peerId) => this.#removePeer(peerId));
    session.on('trackSubscribed', (track) => {
      this.#remoteTracks.add(track);
      this.emit('trackSubscribed', track);
    });
    session.on('trackUnsubscribed', (track) => {
      this.#remoteTracks.delete(track);
      this.emit('trackUnsubscribed', track);
    });
    session.on('trackMuted', (track) => this.emit('trackMuted', track));
    session.on('trackUnmuted', (track) => this.emit('trackUnmuted', track));
    session.on('died', (error) => this.#lost(session, error));

    for (const peerId of [...this.#peers.keys()]) if (!session.peers.has(peerId)) this.#removePeer(peerId);
    for (const [peerId, appData] of session.peers) this.#addPeer(peerId, appData);
    this.#setState({ status: 'connected', daemonId: session.daemonId });
    // Whoever awaits `join` adds listeners right after it resolves, and must miss nothing.
    setTimeout(() => session.start(), 0);
    for (const local of this.#localTracks) {
      this.#whileConnected((current) => current.produce(local)).catch(() => local.close().catch(() => {}));
    }
  }

  #addPeer(peerId: string, appData: Record<string, unknown>): void {
    const known = this.#peers.has(peerId);
    this.#peers.set(peerId, appData);
    if (!known) this.emit('peerJoined', peerId, appData);
  }

  #removePeer(peerId: string): void {
    if (this.#peers.delete(peerId)) this.emit('peerLeft', peerId);
  }

  #lost(session: Session, error: RoomError): void {
    if (session !== this.#session) return;
    this.#session = undefined;
    if (!error.retryable) {
      this.#close(error);
      return;
    }
    // A daemon that asked to move is well; one that vanished may be dead.
    if (error.code !== 'MOVED') this.#failedDaemonId = session.daemonId;
    void this.#rejoin();
  }

  async #rejoin(): Promise<void> {
    let retryAfterMs = 0;
    for (let attempt = 1; !this.#leaving.signal.aborted; attempt++) {
      this.#setState({ status: 'reconnecting', attempt });
      await this.#sleep(Math.max(backoffMs(attempt), retryAfterMs));
      if (this.#leaving.signal.aborted) return;
      try {
        await this.#connect();
        return;
      } catch (error) {
        const reason = RoomError.from(error);
        if (!reason.retryable) {
          this.#close(reason);
          return;
        }
        retryAfterMs = reason.retryAfterMs ?? 0;
      }
    }
  }

  #close(reason?: RoomError): void {
    if (this.#state.status === 'closed') return;
    this.#leaving.abort();
    const session = this.#session;
    this.#session = undefined;
    session?.close();
    for (const local of [...this.#localTracks]) void local.close();
    this.#setState(reason ? { status: 'closed', reason } : { status: 'closed' });
  }

  #setState(state: RoomState): void {
    this.#state = state;
    this.emit('stateChanged', state);
  }

  /** Does something with the session, if there is one. What fails since the session was lost is done again by `#adopt`. */
  async #whileConnected(action: (session: Session) => Promise<void>): Promise<void> {
    const session = this.#session;
    if (!session) return;
    try {
      await action(session);
    } catch (error) {
      if (session === this.#session) throw error;
    }
  }

  /** Waits; leaving, and the network's return, end the wait early. */
  async #sleep(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(done, ms);
      const signal = this.#leaving.signal;
      function done(): void {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        globalThis.removeEventListener('online', done);
        resolve();
      }
      signal.addEventListener('abort', done);
      globalThis.addEventListener('online', done);
    });
  }
}
