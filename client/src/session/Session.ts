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

/**
 * How long the daemon may take to answer where its media has stopped, ms. More than any network takes that a call is held
 * over, and little enough that video goes on within 2.5 s: half a second of silence and this, half a second in which the
 * control plane probes the daemon, and the next join. A false alarm costs a socket alone, since the probe finds the daemon.
 */
const SUSPECT_PING_TIMEOUT_MS = 900;

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
  readonly #dispatcher: NotificationDispatcher;
  /** Notifications that came before `start()`, or before a resumed session was brought in line, in order. */
  #early: AnyNotification[] | undefined;

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
    this.#dispatcher = new NotificationDispatcher(this, (name, ...args) => this.emit(name, ...args));
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
