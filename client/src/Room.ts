import type { types } from 'mediasoup-client';
import { type AccessToken, requestAssignment } from './assignment.ts';
import { RoomError } from './errors.ts';
import { TypedEmitter } from './events.ts';
import type { LocalTrack, PublishOptions } from './LocalTrack.ts';
import { fromBase64 } from './messages/base64.ts';
import { LossyInbox, protocolOf } from './messages/LossyInbox.ts';
import { MessageSender } from './messages/MessageSender.ts';
import { type Data, withNumber } from './messages/numbered.ts';
import { Outbox, type SendOptions, type SentMessage } from './messages/Outbox.ts';
import { ReliableInbox } from './messages/ReliableInbox.ts';
import type { RemoteTrack } from './RemoteTrack.ts';
import type { RoomEvents } from './RoomEvents.ts';
import { randomId } from './randomId.ts';
import { Attachments } from './recovery/Attachments.ts';
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
  /** What the other peers are told about this one; by convention `displayName` is its name. */
  readonly appData?: Record<string, unknown>;
  /** The application's access token, where the service asks for one; a function is asked for each assignment. */
  readonly accessToken?: AccessToken;
  /** Whether every track of the others is received; else those that `RemoteTrack.subscribe` is called on. Default: true. */
  readonly autoSubscribe?: boolean;
  /**
   * Whether the elements that a video track is attached to say what is received of it: the size that fits the largest of
   * them, and nothing while none is on the screen. Default: true.
   */
  readonly adaptive?: boolean;
  /** How mediasoup-client does WebRTC where there is no browser that it knows, in Node for example. */
  readonly handlerFactory?: types.HandlerFactory;
}

/** Messages of so long before are asked for at another place, ms: about as long as the way there may take. */
const HANDED_OVER_MS = 30_000;

/**
 * A room as one peer sees it. It survives the loss of sockets, networks and daemons: peers and tracks stay the same
 * objects throughout.
 */
export class Room extends TypedEmitter<RoomEvents> {
  readonly roomId: string;
  readonly peerId: string;
  readonly #attachments: Attachments;
  readonly #peers = new Map<string, Record<string, unknown>>();
  readonly #localTracks: LocalTracks;
  readonly #remoteTracks: RemoteTracks;
  readonly #stats = new StatsSummary();
  readonly #lossyInbox = new LossyInbox();
  /** Tells this room's messages from those of another one of the same peer, after a reload. */
  readonly #senderId = randomId();
  #sent = 0;
  #hasArrived = false;
  readonly #reliableInbox = new ReliableInbox();
  readonly #outbox = new Outbox(this.#senderId);
  readonly #messageSenders = new Map<Session, MessageSender>();
  #appData: Record<string, unknown>;
  #activeSpeaker: string | undefined;
  #audioLevels: ReadonlyMap<string, number> = new Map();
  #joining: Promise<void> | undefined;

  /**
   * Joins a room, which the service makes where there is none. What is only for now, such as a full room or a service
   * that is not reached, is tried again until it succeeds: make the room by hand to show that meanwhile.
   *
   * @throws {RoomError} saying why it never will
   */
  static async join(options: JoinOptions): Promise<Room> {
    const room = new Room(options);
    await room.join();
    return room;
  }

  /** Nothing happens until `join`, so that listeners can be added first. */
  constructor(options: JoinOptions) {
    super();
    const { controlPlaneUrl, roomId, peerId, accessToken, autoSubscribe = true, adaptive = true } = options;
    this.roomId = roomId;
    this.peerId = peerId;
    this.#appData = options.appData ?? {};
    this.#attachments = new Attachments(
      {
        assign: (failedDaemonId, signal) => {
          const request = { peerId, ...(failedDaemonId !== undefined && { failedDaemonId }) };
          return requestAssignment({ controlPlaneUrl, roomId, accessToken, request, signal });
        },
        open: (assignment, signal) =>
          Session.open({
            // What came before is sent here as well, and taken once.
            messagesOfMs: this.#hasArrived ? HANDED_OVER_MS : undefined,
            assignment,
            signal,
            appData: this.#appData,
            dataProtocol: protocolOf(this.#senderId),
            handlerFactory: options.handlerFactory,
          }),
      },
      (session) =>
        this.#remoteTracks.hasAll(session) && [...this.#peers.keys()].every((id) => session.roster.peers.has(id)),
    );
    this.#localTracks = new LocalTracks(this.#attachments);
    this.#remoteTracks = new RemoteTracks({ autoSubscribe, adaptive });
    this.#listen();
  }

  get state(): RoomState {
    return this.#attachments.state;
  }

  /** The other peers' `appData` by their ids. While reconnecting, those from before. */
  get peers(): ReadonlyMap<string, Readonly<Record<string, unknown>>> {
    return this.#peers;
  }

  get localTracks(): readonly LocalTrack[] {
    return this.#localTracks.all;
  }

  /** All that the others publish. */
  get remoteTracks(): readonly RemoteTrack[] {
    return this.#remoteTracks.all;
  }

  /** Who speaks most, be it this peer; `undefined` while nobody does. */
  get activeSpeaker(): string | undefined {
    return this.#activeSpeaker;
  }

  /** How loud each who is heard is, in dBov from -127 to 0. */
  get audioLevels(): ReadonlyMap<string, number> {
    return this.#audioLevels;
  }

  /**
   * Joins, trying again what is only for now; `state` tells how it goes.
   *
   * @throws {RoomError} that is final; ROOM_CLOSED where `leave` was called meanwhile
   */
  join(): Promise<void> {
    this.#joining ??= this.#attachments.join();
    return this.#joining;
  }

  /**
   * Publishes a track; while there is no connection it is published when there is one.
   *
   * @throws {RoomError} where the server refuses it
   */
  publish(track: MediaStreamTrack, options: PublishOptions = {}): Promise<LocalTrack> {
    if (this.state.status === 'closed') return Promise.reject(new RoomError('ROOM_CLOSED', 'The room is closed'));
    return this.#localTracks.publish(track, options);
  }

  /**
   * Sends something to the others who are in the room. Reliable messages arrive in order and once, also while the connection
   * is lost or the room moves; before there is a connection they wait.
   *
   * @throws {RoomError} INVALID_REQUEST where it is too long (64 KiB) or not possible; UNAVAILABLE where too much waits
   */
  send(data: Data, { reliable = true, ...options }: SendOptions = {}): void {
    if (this.state.status === 'closed') return;
    if (reliable) {
      const message = this.#outbox.add(data, options);
      // Some of the others may be at one place alone; who is at both takes it once.
      for (const sender of this.#messageSenders.values()) sender.send(message);
      return;
    }
    if (options.to || options.topic !== undefined)
      throw new RoomError('INVALID_REQUEST', 'A message over a data channel has neither `to` nor `topic`');
    const message = withNumber(this.#sent++, data);
    const [current, ...former] = this.#attachments.all;
    for (const session of former) if (session.data.isOpen) session.data.send(message);
    current?.data.send(message);
  }

  /** Replaces what the others are told about this peer. */
  async setAppData(appData: Record<string, unknown>): Promise<void> {
    this.#appData = appData;
    await this.#attachments.everywhere((session) => session.updateAppData(appData));
  }

  /** How well the call goes. Bit rates and losses are those since the call before, so one every second or two is good. */
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

  #listen(): void {
    const [attachments, local, remote] = [this.#attachments, this.#localTracks, this.#remoteTracks];
    attachments.on('stateChanged', (state) => this.#stateChanged(state));
    attachments.on('attached', (session, former) => this.#attached(session, former));
    attachments.on('detached', (former) => {
      this.#messageSenders.get(former)?.close();
      this.#messageSenders.delete(former);
      remote.remove(former);
      this.#removeLeftPeers();
      this.#updateSpeakers();
    });
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
    const { roster } = session;
    roster.on('peerJoined', (peerId, appData) => this.#setPeer(peerId, appData));
    roster.on('peerUpdated', (peerId, appData) => this.#setPeer(peerId, appData));
    roster.on('peerLeft', () => this.#removeLeftPeers());
    roster.on('speakersChanged', () => this.#updateSpeakers());
    session.on('serverMessage', (from, data) => this.emit('serverMessage', from, data));
    session.on('dataReceived', (peerId, protocol, received) => {
      const data = this.#lossyInbox.take(peerId, protocol, received);
      if (data !== undefined) this.emit('dataReceived', peerId, data);
    });
    session.on('peerMessage', (message) => {
      const { peerId, senderId, number, encoding, data: text, topic } = message;
      if (!this.#reliableInbox.take(peerId, senderId, number)) return;
      const data = encoding === 'base64' ? fromBase64(text) : text;
      if (data === undefined) return;
      if (topic === undefined) this.emit('dataReceived', peerId, data);
      else this.emit('dataReceived', peerId, data, topic);
    });
    session.on('messagesMissed', (count) => this.emit('messagesMissed', count));
    this.#sendMessages(session);
    if (former) this.#remoteTracks.hold(former);
    this.#remoteTracks.add(session);
    this.#localTracks.add(session);
    for (const [peerId, appData] of roster.peers) this.#setPeer(peerId, appData);
    // Whoever awaits `join` adds listeners right after it resolves, and must miss nothing.
    setTimeout(() => session.start(), 0);
    if (former?.data.isOpen) session.data.prepare();
  }

  /** Sends what waits at a new place, and again what was sent shortly before at a place that may be lost. */
  #sendMessages(session: Session): void {
    this.#hasArrived = true;
    const taken = (message: SentMessage): void => this.#outbox.take(message);
    const sender = new MessageSender(this.#outbox.recent(), {
      deliver: (data) => session.sendMessage(data),
      taken,
      refused: (message, error) => {
        taken(message);
        this.emit('sendFailed', error);
      },
    });
    this.#messageSenders.set(session, sender);
  }

  #setPeer(peerId: string, appData: Record<string, unknown>): void {
    const known = this.#peers.get(peerId);
    this.#peers.set(peerId, appData);
    if (!known) this.emit('peerJoined', peerId, appData);
    else if (JSON.stringify(known) !== JSON.stringify(appData)) this.emit('peerUpdated', peerId, appData);
    this.#attachments.reevaluate();
  }

  /** Forgets the peers that are not here, unless they may be on their way from the place that this one left. */
  #removeLeftPeers(): void {
    const { current, moving } = this.#attachments;
    if (!current || moving) return;
    for (const peerId of [...this.#peers.keys()]) {
      if (current.roster.peers.has(peerId)) continue;
      this.#peers.delete(peerId);
      this.#lossyInbox.forget(peerId);
      this.emit('peerLeft', peerId);
    }
  }

  /** While the room moves, some are heard at one place and some at the other; of who is at both, the new one counts. */
  #updateSpeakers(): void {
    const rosters = this.#attachments.all.map(({ roster }) => roster);
    const speaker = rosters.find(({ activeSpeaker }) => activeSpeaker !== undefined)?.activeSpeaker;
    if (speaker !== this.#activeSpeaker) {
      this.#activeSpeaker = speaker;
      this.emit('activeSpeakerChanged', speaker);
    }
    const levels = new Map(rosters.toReversed().flatMap(({ audioLevels }) => [...audioLevels]));
    if (JSON.stringify([...levels]) === JSON.stringify([...this.#audioLevels])) return;
    this.#audioLevels = levels;
    this.emit('audioLevelsChanged', levels);
  }

  #stateChanged(state: RoomState): void {
    const { current } = this.#attachments;
    if (current && state.status === 'moving') this.#remoteTracks.hold(current);
    if (current && state.status === 'connected') this.#remoteTracks.release(current);
    if (state.status === 'closed') {
      this.#localTracks.close();
      for (const sender of this.#messageSenders.values()) sender.close();
      this.#messageSenders.clear();
      if (current) this.#remoteTracks.remove(current);
    }
    this.emit('stateChanged', state);
    this.#removeLeftPeers();
  }
}
