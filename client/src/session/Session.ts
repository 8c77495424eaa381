import type { Assignment } from '@mediasoup-server/proto/http';
import type { NotificationData, RequestData, ResponseData } from '@mediasoup-server/proto/signaling';
import type { types } from 'mediasoup-client';
import { RoomError } from '../errors.ts';
import { TypedEmitter } from '../events.ts';
import type { LocalTrack } from '../LocalTrack.ts';
import type { Data } from '../messages/numbered.ts';
import type { AnyNotification } from '../signaling/ProtooSocket.ts';
import { type Resumed, Signaling } from '../signaling/Signaling.ts';
import { Consumers } from './Consumers.ts';
import { DataChannels } from './DataChannels.ts';
import { MediaTransports } from './MediaTransports.ts';
import { MediaWatch } from './MediaWatch.ts';
import { Producers } from './Producers.ts';
import { Roster } from './Roster.ts';
import type { SessionFailure } from './SessionFailure.ts';
import type { Subscription } from './Subscription.ts';

export interface SessionEvents {
  failed: [failure: SessionFailure];
  /** Whether media can flow has changed. */
  flowChanged: [flowing: boolean];
  subscriptionChanged: [subscription: Subscription];
  /** The server has closed what this peer sends. */
  ownProducerClosed: [local: LocalTrack];
  dataReceived: [peerId: string, protocol: string, data: Data];
  peerMessage: [message: NotificationData<'peerMessage'>];
  messagesMissed: [count: number];
  /** A backend has something to tell. */
  serverMessage: [from: string, data: unknown];
}

/** How long the daemon may take to answer where its media has stopped, ms: a false alarm costs a socket alone. */
const SUSPECT_PING_TIMEOUT_MS = 1_000;

export interface SessionOptions {
  readonly assignment: Assignment;
  readonly appData: Record<string, unknown>;
  /** Messages of so many milliseconds before are wanted as well. */
  readonly messagesOfMs?: number | undefined;
  /** How the messages that are sent are written. */
  readonly dataProtocol: string;
  readonly handlerFactory?: types.HandlerFactory | undefined;
  /** Ends the attempt to connect. */
  readonly signal?: AbortSignal;
}

/** A peer's stay at one daemon. It outlives its sockets; when the daemon or its media is lost, so is the session. */
export class Session extends TypedEmitter<SessionEvents> {
  readonly assignment: Assignment;
  readonly roster: Roster;
  readonly producers: Producers;
  readonly consumers: Consumers;
  readonly data: DataChannels;
  readonly transports: MediaTransports;
  readonly #signaling: Signaling;
  readonly #mediaWatch: MediaWatch;
  /** Notifications that came before `start()`, or before a resumed session was brought in line, in order. */
  #early: AnyNotification[] | undefined;
  /** Why the room was closed; the socket's end, which follows, says whether for good. */
  #roomClosed: string | undefined;

  /**
   * Connects to the assigned daemon and joins. Events begin with `start()`.
   *
   * @throws {RoomError} DAEMON_UNREACHABLE, REFUSED, UNSUPPORTED_BROWSER, ...
   */
  static async open(options: SessionOptions): Promise<Session> {
    const early: AnyNotification[] = [];
    let session: Session | undefined;
    let lost: RoomError | undefined;
    const { signaling, joined } = await Signaling.join(
      options.assignment,
      options,
      (listened) => {
        listened.on('notification', (notification) =>
          session ? session.#receive(notification) : early.push(notification),
        );
        listened.on('lost', (error) => {
          lost = error;
        });
        listened.on('refused', (error) => {
          lost = error;
        });
      },
      options.signal,
    );
    try {
      const transports = await MediaTransports.make({
        joined,
        iceServers: options.assignment.iceServers,
        request: (method, data) => signaling.request(method, data),
        handlerFactory: options.handlerFactory,
      });
      if (lost) throw lost;
      session = new Session(options, signaling, transports, joined, early);
      return session;
    } catch (error) {
      signaling.close();
      throw error;
    }
  }

  private constructor(
    { assignment, dataProtocol }: SessionOptions,
    signaling: Signaling,
    transports: MediaTransports,
    joined: ResponseData<'joinRoom'>,
    early: AnyNotification[],
  ) {
    super();
    this.assignment = assignment;
    this.#signaling = signaling;
    this.#early = early;
    this.transports = transports;
    this.roster = new Roster(joined.peers);
    const request: Signaling['request'] = (method, data) => signaling.request(method, data);
    this.producers = new Producers(transports, request);
    this.consumers = new Consumers(transports, request, (subscription) =>
      this.emit('subscriptionChanged', subscription),
    );
    this.data = new DataChannels(transports, request, dataProtocol, (...received) =>
      this.emit('dataReceived', ...received),
    );
    this.roster.on('producerClosed', (producerId) => this.consumers.dropProducer(producerId));
    signaling.on('lost', (error, silent) => this.emit('failed', { kind: 'socketLost', error, silent }));
    signaling.on('refused', (error) => this.emit('failed', { kind: 'refused', error: this.#closingError(error) }));
    transports.on('failed', (error) => this.emit('failed', { kind: 'mediaLost', error }));
    transports.on('flowChanged', (flowing) => {
      // Where media stops the daemon may be gone, which its socket would show only after a while.
      if (!flowing) signaling.probe(SUSPECT_PING_TIMEOUT_MS);
      this.emit('flowChanged', flowing);
    });
    this.#mediaWatch = new MediaWatch(
      () => this.consumers.expected,
      () => signaling.probe(SUSPECT_PING_TIMEOUT_MS),
    );
  }

  get daemonId(): string {
    return this.assignment.daemonId;
  }

  /** Whether the daemon has it no more, or it was left. */
  get isOver(): boolean {
    return this.#signaling.isOver;
  }

  /** Handles the notifications that came so far and from now on: call it when the listeners are in place. */
  start(): void {
    this.#handleEarly();
  }

  /**
   * Goes on over a new socket, with everything that happened meanwhile told as if it happened now.
   *
   * @returns false where the daemon has the session no more
   * @throws {RoomError} DAEMON_UNREACHABLE where that may be tried again, REFUSED where it may not
   */
  async resume(signal?: AbortSignal): Promise<boolean> {
    // Node hands over what came with the answer before whoever awaits the answer goes on.
    this.#early ??= [];
    try {
      const resumed = await this.#signaling.resume(signal);
      if (resumed) this.#reconcile(resumed);
      return resumed !== undefined;
    } finally {
      this.#handleEarly();
    }
  }

  /** Finds out whether the daemon is still there, and where the network has changed, new ways to it. */
  check(networkChanged: boolean): void {
    this.#signaling.probe();
    if (networkChanged) this.transports.restartIce();
  }

  updateAppData(appData: Record<string, unknown>): Promise<unknown> {
    return this.#signaling.request('updateAppData', { appData });
  }

  sendMessage(message: RequestData<'sendMessage'>): Promise<unknown> {
    return this.#signaling.request('sendMessage', message);
  }

  /** Gives up the socket, and keeps the media as it is: the last frame is shown until there is another. */
  disconnect(): void {
    this.#mediaWatch.close();
    this.#signaling.close();
  }

  /** Leaves: the closing socket tells the daemon. Nothing is told any more. */
  close(): void {
    this.removeAllListeners();
    this.#mediaWatch.close();
    this.consumers.close();
    this.transports.close();
    this.#signaling.close();
  }

  #receive(notification: AnyNotification): void {
    if (this.#early) this.#early.push(notification);
    else this.#handle(notification);
  }

  #handleEarly(): void {
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const notification of early) this.#handle(notification);
  }

  #handle(notification: AnyNotification): void {
    switch (notification.method) {
      case 'newProducer':
        this.roster.addProducer(notification.data);
        break;
      case 'producerClosed':
        this.#producerClosed(notification.data.producerId);
        break;
      case 'consumerClosed': {
        const subscription = this.consumers.find(notification.data.consumerId);
        if (subscription) this.consumers.drop(subscription);
        break;
      }
      case 'consumerPaused':
        this.consumers.find(notification.data.consumerId)?.flowChanged(false);
        break;
      case 'consumerResumed':
        this.consumers.find(notification.data.consumerId)?.flowChanged(true);
        break;
      case 'consumerLayersChanged': {
        const { consumerId, spatialLayer, temporalLayer } = notification.data;
        const layers = spatialLayer === null ? undefined : { spatialLayer, temporalLayer: temporalLayer ?? 0 };
        this.consumers.find(consumerId)?.layersChanged(layers);
        break;
      }
      case 'consumerScore':
        this.consumers.find(notification.data.consumerId)?.scoreChanged(notification.data.score);
        break;
      case 'producerPaused':
        this.producers.pausedByServer(notification.data.producerId, notification.data.mayResume);
        break;
      case 'producerResumed':
        this.producers.allowedByServer(notification.data.producerId);
        break;
      case 'newDataProducer':
        this.data.opened(notification.data);
        break;
      case 'dataProducerClosed':
        this.data.closed(notification.data.dataProducerId);
        break;
      case 'peerJoined':
      case 'peerUpdated':
        this.roster.setPeer(notification.data);
        break;
      case 'peerLeft':
        this.roster.removePeer(notification.data.peerId);
        break;
      case 'activeSpeaker':
        this.roster.setActiveSpeaker(notification.data.peerId ?? undefined);
        break;
      case 'audioLevels':
        this.roster.setAudioLevels(notification.data.levels);
        break;
      case 'message':
        this.emit('serverMessage', notification.data.from, notification.data.data);
        break;
      case 'peerMessage':
        this.emit('peerMessage', notification.data);
        break;
      case 'messagesMissed':
        this.emit('messagesMissed', notification.data.count);
        break;
      case 'reconnect': {
        const { reason, deadlineMs } = notification.data;
        const error = new RoomError('MOVED', `The media server asks to move (${reason})`);
        // Until the deadline everything here goes on; without one there is nothing left to go on.
        this.emit('failed', { kind: deadlineMs > 0 ? 'moveRequested' : 'mediaLost', error });
        break;
      }
      case 'transportClosed':
        this.emit('failed', {
          kind: 'mediaLost',
          error: new RoomError('TRANSPORT_FAILED', 'The media server closed a transport'),
        });
        break;
      case 'roomClosed':
        this.#roomClosed = notification.data.reason;
        break;
      default:
        // A newer server may say more than this SDK knows.
        break;
    }
  }

  #closingError(error: RoomError): RoomError {
    return this.#roomClosed === undefined ? error : new RoomError('ROOM_CLOSED', this.#roomClosed);
  }

  #producerClosed(producerId: string): void {
    const own = this.producers.find(producerId);
    if (own) this.#ownProducerClosed(own);
    else this.roster.removeProducer(producerId);
  }

  #ownProducerClosed(local: LocalTrack): void {
    this.producers.drop(local);
    this.emit('ownProducerClosed', local);
  }

  #reconcile({ peers, snapshot }: Resumed): void {
    this.roster.reconcile(peers, snapshot);
    this.consumers.reconcile(snapshot);
    this.data.reconcile(snapshot);
    for (const local of this.producers.reconcile(snapshot)) this.#ownProducerClosed(local);
  }
}
