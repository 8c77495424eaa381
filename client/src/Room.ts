import type { types } from 'mediasoup-client';
import { type AccessToken, AssignmentRequests } from './AssignmentRequests.ts';
import { RoomError } from './errors.ts';
import { TypedEmitter } from './events.ts';
import type { LocalTrack, PublishOptions } from './LocalTrack.ts';
import { Messenger } from './messages/Messenger.ts';
import type { Data } from './messages/numbered.ts';
import type { SendOptions } from './messages/Outbox.ts';
import { RoomPeers } from './peers/RoomPeers.ts';
import type { RemoteTrack } from './RemoteTrack.ts';
import type { RoomEvents } from './RoomEvents.ts';
import { Attachments } from './recovery/Attachments.ts';
import type { RecoveryOptions } from './recovery/RecoveryOptions.ts';
import type { RoomState } from './recovery/RoomState.ts';
import { Session } from './session/Session.ts';
import type { RoomStats } from './stats/RoomStats.ts';
import { StatsSummary } from './stats/StatsSummary.ts';
import { LocalTracks } from './tracks/LocalTracks.ts';
import { RemoteTracks } from './tracks/RemoteTracks.ts';

export interface JoinOptions {
  /** The control plane's origin, for example `https://meet.example.org`. */
  readonly controlPlaneUrl: string;
  readonly roomId: string;
  /** Unique in the room: a second connection with the same id replaces the first. */
  readonly peerId: string;
  /** Sent to the other peers; by convention `displayName` is the peer's name. */
  readonly appData?: Record<string, unknown>;
  /** The application's access token, where the service requires one. A function is called for each assignment. */
  readonly accessToken?: AccessToken;
  /** Whether to receive each remote track, or only those that `RemoteTrack.subscribe` is called on. Default: true. */
  readonly autoSubscribe?: boolean;
  /**
   * Whether the elements that a video track is attached to choose what is received of it: the size that fits the largest of
   * them, and nothing while none is on the screen. Default: true.
   */
  readonly adaptive?: boolean;
  /** mediasoup-client's handler where there is no browser that it knows, in Node for example. */
  readonly handlerFactory?: types.HandlerFactory;
}

/** From how long ago messages are requested again at another daemon, ms: about as long as getting there may take. */
const MISSED_MESSAGES_MS = 30_000;

/**
 * A room as one peer sees it. It survives the loss of sockets, networks and daemons: peers and tracks stay the same
 * objects throughout.
 */
export class Room extends TypedEmitter<RoomEvents> {
  readonly roomId: string;
  readonly peerId: string;
  readonly #assignments: AssignmentRequests;
  readonly #attachments: Attachments;
  readonly #peers: RoomPeers;
  readonly #localTracks: LocalTracks;
  readonly #remoteTracks: RemoteTracks;
  readonly #messenger = new Messenger();
  readonly #stats = new StatsSummary();
  #appData: Record<string, unknown>;
  #joining: Promise<void> | undefined;

  /**
   * Joins a room, which the service creates if it does not exist. Retries until it succeeds what is temporary, such as a
   * full room or a service that cannot be reached: construct the room yourself to show that meanwhile.
   *
   * @throws {RoomError} that is final
   */
  static async join(options: JoinOptions): Promise<Room> {
    const room = new Room(options);
    await room.join();
    return room;
  }

  /** Nothing happens until `join`, so that listeners can be added first. */
  constructor(options: JoinOptions) {
    super();
    const { roomId, peerId, autoSubscribe = true, adaptive = true } = options;
    this.roomId = roomId;
    this.peerId = peerId;
    this.#appData = options.appData ?? {};
    this.#assignments = new AssignmentRequests(options);
    this.#attachments = new Attachments(
      this.#recoveryOptions(options),
      (session) => this.#remoteTracks.hasAll(session) && this.#peers.areAllAt(session),
    );
    this.#peers = new RoomPeers(this.#attachments);
    this.#localTracks = new LocalTracks(this.#attachments);
    this.#remoteTracks = new RemoteTracks({ autoSubscribe, adaptive });
    this.#listen();
  }

  get state(): RoomState {
    return this.#attachments.state;
  }

  /** The other peers' `appData` by their ids. While reconnecting, those from before. */
  get peers(): ReadonlyMap<string, Readonly<Record<string, unknown>>> {
    return this.#peers.appData;
  }

  get localTracks(): readonly LocalTrack[] {
    return this.#localTracks.all;
  }

  /** All tracks that the other peers publish. */
  get remoteTracks(): readonly RemoteTrack[] {
    return this.#remoteTracks.all;
  }

  /** The peer that speaks most, which may be this one; `undefined` while nobody speaks. */
  get activeSpeaker(): string | undefined {
    return this.#peers.activeSpeaker;
  }

  /** The volume of each peer that is heard, in dBov from -127 to 0. */
  get audioLevels(): ReadonlyMap<string, number> {
    return this.#peers.audioLevels;
  }

  /**
   * Joins, and retries what is temporary; `state` says how it goes.
   *
   * @throws {RoomError} that is final; ROOM_CLOSED if `leave` was called meanwhile
   */
  join(): Promise<void> {
    this.#joining ??= this.#attachments.join();
    return this.#joining;
  }

  /**
   * Publishes a track. While there is no connection the track is published as soon as there is one.
   *
   * @throws {RoomError} if the server refuses it
   */
  publish(track: MediaStreamTrack, options: PublishOptions = {}): Promise<LocalTrack> {
    if (this.state.status === 'closed') return Promise.reject(new RoomError('ROOM_CLOSED', 'The room is closed'));
    return this.#localTracks.publish(track, options);
  }

  /**
   * Sends a message to the other peers in the room. Reliable messages arrive in order and once, also while the connection is
   * lost or the room moves; before there is a connection they wait.
   *
   * @throws {RoomError} INVALID_REQUEST if it is longer than 64 KiB or not possible; UNAVAILABLE if too much waits
   */
  send(data: Data, options: SendOptions = {}): void {
    if (this.state.status !== 'closed') this.#messenger.send(data, options, this.#attachments.all);
  }

  /** Replaces this peer's `appData`, which the other peers are notified of. */
  async setAppData(appData: Record<string, unknown>): Promise<void> {
    this.#appData = appData;
    await this.#attachments.everywhere((session) => session.updateAppData(appData));
  }

  /** The quality of the call. Bit rates and losses are those since the previous call: one every second or two is good. */
  async getStats(): Promise<RoomStats> {
    const tracks = { local: this.localTracks, remote: this.remoteTracks };
    return this.#stats.update(this.#attachments.current?.daemonId, await this.getStatsReports(), tracks);
  }

  /** The browser's own statistics: a report for each of its connections, none while there is none. */
  async getStatsReports(): Promise<RTCStatsReport[]> {
    return (await this.#attachments.current?.transports.getStats()) ?? [];
  }

  /** Leaves the room, for good. Idempotent. */
  leave(): void {
    this.#attachments.leave();
  }

  #recoveryOptions({ peerId, handlerFactory }: JoinOptions): RecoveryOptions {
    return {
      assign: (failedDaemonId, signal) => {
        const request = { peerId, ...(failedDaemonId !== undefined && { failedDaemonId }) };
        return this.#assignments.request(request, signal);
      },
      open: (assignment, signal) =>
        Session.open({
          // Repeats messages that came over the former session; each is delivered to the application once.
          messagesOfMs: this.#messenger.wasAttached ? MISSED_MESSAGES_MS : undefined,
          assignment,
          signal,
          appData: this.#appData,
          dataProtocol: this.#messenger.dataProtocol,
          handlerFactory,
        }),
    };
  }

  #listen(): void {
    const [attachments, peers, local, remote] = [this.#attachments, this.#peers, this.#localTracks, this.#remoteTracks];
    attachments.on('stateChanged', (state) => this.#stateChanged(state));
    attachments.on('attached', (session, former) => this.#attached(session, former));
    attachments.on('detached', (former) => {
      this.#messenger.detach(former);
      remote.remove(former);
      peers.removeLeft();
      peers.updateSpeakers();
    });
    peers.on('peerJoined', (peerId, appData) => this.emit('peerJoined', peerId, appData));
    peers.on('peerUpdated', (peerId, appData) => this.emit('peerUpdated', peerId, appData));
    peers.on('peerLeft', (peerId) => {
      this.#messenger.forgetPeer(peerId);
      this.emit('peerLeft', peerId);
    });
    peers.on('activeSpeakerChanged', (peerId) => this.emit('activeSpeakerChanged', peerId));
    peers.on('audioLevelsChanged', (levels) => this.emit('audioLevelsChanged', levels));
    this.#messenger.on('received', (peerId, data, topic) => {
      if (topic === undefined) this.emit('dataReceived', peerId, data);
      else this.emit('dataReceived', peerId, data, topic);
    });
    this.#messenger.on('sendFailed', (error) => this.emit('sendFailed', error));
    local.on('published', (track) => this.emit('localTrackPublished', track));
    local.on('changed', (track) => this.emit('localTrackChanged', track));
    local.on('unpublished', (track, cause) => this.emit('localTrackUnpublished', track, cause));
    remote.on('published', (track) => this.emit('remoteTrackPublished', track));
    remote.on('subscribed', (track) => this.emit('trackSubscribed', track));
    remote.on('unsubscribed', (track) => this.emit('trackUnsubscribed', track));
    remote.on('unpublished', (track) => this.emit('remoteTrackUnpublished', track));
    remote.on('changed', (track) => {
      this.emit('remoteTrackChanged', track);
      attachments.reevaluate();
    });
  }

  #attached(session: Session, former: Session | undefined): void {
    this.#peers.attach(session);
    session.on('serverMessage', (from, data) => this.emit('serverMessage', from, data));
    session.on('messagesMissed', (count) => this.emit('messagesMissed', count));
    this.#messenger.attach(session);
    if (former) this.#remoteTracks.hold(former);
    this.#remoteTracks.add(session);
    this.#localTracks.add(session);
    this.#peers.addAll(session);
    // An application that awaits `join` adds listeners right after it resolves, and must not miss an event.
    setTimeout(() => session.start(), 0);
    if (former?.data.isOpen) session.data.prepare();
  }

  #stateChanged(state: RoomState): void {
    const { current } = this.#attachments;
    if (current && state.status === 'moving') this.#remoteTracks.hold(current);
    if (current && state.status === 'connected') this.#remoteTracks.release(current);
    if (state.status === 'closed') {
      this.#assignments.close();
      this.#localTracks.close();
      this.#messenger.close();
      if (current) this.#remoteTracks.remove(current);
    }
    this.emit('stateChanged', state);
    this.#peers.removeLeft();
  }
}
