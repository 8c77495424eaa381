import type { Assignment } from '@mediasoup-server/proto/http';
import type { RequestData, ResponseData } from '@mediasoup-server/proto/signaling';
import type { types } from 'mediasoup-client';
import { RoomError } from '../errors.ts';
import { TypedEmitter } from '../events.ts';
import type { AnyNotification } from '../signaling/ProtooSocket.ts';
import { type Resumed, Signaling } from '../signaling/Signaling.ts';
import { Consumers } from './Consumers.ts';
import { DataChannels } from './DataChannels.ts';
import { MediaTransports } from './MediaTransports.ts';
import { MediaWatch } from './MediaWatch.ts';
import { NotificationDispatcher } from './NotificationDispatcher.ts';
import { Producers } from './Producers.ts';
import { Roster } from './Roster.ts';
import type { SessionEvents } from './SessionEvents.ts';

export interface SessionOptions {
  readonly assignment: Assignment;
  readonly appData: Record<string, unknown>;
  /** Requests the messages of so many milliseconds before the join too. */
  readonly messagesOfMs?: number | undefined;
  /** The encoding of sent messages, as the data channel's `protocol`. */
  readonly dataProtocol: string;
  readonly handlerFactory?: types.HandlerFactory | undefined;
  /** Aborts the attempt to connect. */
  readonly signal?: AbortSignal;
}

/** A peer in a room at one daemon. A session survives the loss of its sockets, not of its daemon or its media. */
export class Session extends TypedEmitter<SessionEvents> {
  readonly assignment: Assignment;
  readonly roster: Roster;
  readonly producers: Producers;
  readonly consumers: Consumers;
  readonly data: DataChannels;
  readonly transports: MediaTransports;
  readonly #signaling: Signaling;
  readonly #mediaWatch: MediaWatch;
  readonly #dispatcher: NotificationDispatcher;
  /** Notifications that arrived before `start()`, or before the snapshot of a resumed session was applied, in order. */
  #early: AnyNotification[] | undefined;

  /**
   * Connects to the assigned daemon and joins. Events start with `start()`.
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
      const transports = await MediaTransports.create({
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
    this.#dispatcher = new NotificationDispatcher(this, (name, ...args) => this.emit(name, ...args));
    signaling.on('resumed', (answer) => this.#reconcile(answer));
    signaling.on('lost', (error, silent) => this.emit('failed', { kind: 'socketLost', error, silent }));
    signaling.on('refused', (error) => this.emit('failed', { kind: 'refused', error: this.#closingError(error) }));
    transports.on('failed', (error) => this.emit('failed', { kind: 'mediaLost', error }));
    transports.on('flowChanged', (flowing) => {
      // Where media stops the daemon may be gone, which its socket would show only after a while.
      if (!flowing) signaling.suspect();
      this.emit('flowChanged', flowing);
    });
    this.#mediaWatch = new MediaWatch(
      () => this.consumers.expected,
      () => signaling.suspect(),
    );
  }

  get daemonId(): string {
    return this.assignment.daemonId;
  }

  /** Whether the session has ended at the daemon or was closed here. */
  get isOver(): boolean {
    return this.#signaling.isOver;
  }

  /** Handles the notifications that arrived so far, and from now on each at once. Call it after adding listeners. */
  start(): void {
    this.#handleEarly();
  }

  /**
   * Resumes the session over a new socket, and emits what happened meanwhile.
   *
   * @returns false if the session has ended at the daemon
   * @throws {RoomError} DAEMON_UNREACHABLE if another attempt may succeed, REFUSED if not
   */
  async resume(): Promise<boolean> {
    // In Node, notifications that arrive with the answer are emitted before its snapshot is applied.
    this.#early ??= [];
    try {
      return await this.#signaling.resume();
    } finally {
      this.#handleEarly();
    }
  }

  /** Pings the daemon, and restarts ICE if the network has changed. */
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

  /** Closes the socket and keeps the tracks, so that elements show the last frame until there is another. */
  disconnect(): void {
    this.#mediaWatch.close();
    this.#signaling.close();
  }

  /** Leaves the room and emits nothing more. The daemon notices by the closed socket. */
  close(): void {
    this.removeAllListeners();
    this.#mediaWatch.close();
    this.producers.stop();
    this.consumers.close();
    this.transports.close();
    this.#signaling.close();
  }

  #receive(notification: AnyNotification): void {
    if (this.#early) this.#early.push(notification);
    else this.#dispatcher.dispatch(notification);
  }

  #handleEarly(): void {
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const notification of early) this.#dispatcher.dispatch(notification);
  }

  #closingError(error: RoomError): RoomError {
    const { roomClosedReason } = this.#dispatcher;
    return roomClosedReason === undefined ? error : new RoomError('ROOM_CLOSED', roomClosedReason);
  }

  #reconcile({ peers, snapshot }: Resumed): void {
    this.roster.reconcile(peers, snapshot);
    this.consumers.reconcile(snapshot);
    this.data.reconcile(snapshot);
    for (const local of this.producers.reconcile(snapshot)) {
      this.producers.drop(local);
      this.emit('ownProducerClosed', local);
    }
  }
}
