import type { Assignment } from '@mediasoup-server/proto/http';
import type { Method, NotificationData, RequestData, ResponseData, Snapshot } from '@mediasoup-server/proto/signaling';
import { RoomError } from '../errors.ts';
import { TypedEmitter } from '../events.ts';
import { splitReason } from '../serverErrors.ts';
import { Heartbeat } from './Heartbeat.ts';
import { joinError } from './joinError.ts';
import { PendingRequests, REQUEST_TIMEOUT_MS } from './PendingRequests.ts';
import { type Answer, type AnyNotification, ProtooSocket, type SocketEnd } from './ProtooSocket.ts';

/** How long a socket may take to open at a daemon that was just assigned, ms. */
const OPEN_TIMEOUT_MS = 8_000;
/**
 * How long a socket may take to open when a session is resumed, ms: its daemon may be dead. A fifth longer each time, since
 * browsers delay the sockets of a page of which many failed; TCP itself tries again meanwhile.
 */
const REOPEN_TIMEOUT_MS = { first: 3_000, longest: 10_000, growth: 1.2 } as const;
/** How long the daemon may take to answer a `joinRoom` that resumes a session, ms. */
const JOIN_AGAIN_TIMEOUT_MS = 5_000;

type Joined = ResponseData<'joinRoom'>;
/** The answer to a `joinRoom` that resumed the session. */
export type Resumed = Joined & { readonly snapshot: Snapshot };

type State =
  | { readonly kind: 'open'; readonly socket: ProtooSocket; readonly heartbeat: Heartbeat }
  /** The socket is lost and the session can be resumed, which closes `former`. */
  | { readonly kind: 'lost'; readonly former: ProtooSocket }
  | { readonly kind: 'over' };

export interface SignalingEvents {
  notification: [notification: AnyNotification];
  resumed: [answer: Resumed];
  /** The socket is lost; `resume` may help. `silent`: the daemon did not answer a ping. */
  lost: [error: RoomError, silent: boolean];
  /** The daemon closed the connection, and the peer must not come back. */
  refused: [error: RoomError];
}

/** The requests and notifications of one session, over one socket after another. */
export class Signaling extends TypedEmitter<SignalingEvents> {
  readonly #assignment: Assignment;
  readonly #requests = new PendingRequests();
  #state: State = { kind: 'over' };
  #sessionId = '';
  /** The sequence of the last `peerMessage`. */
  #lastMessage: number | undefined;
  /** The daemon's reason for closing the socket, which it sends just before. */
  #reason: NotificationData<'error'> | undefined;
  /** The attempt to resume the session that runs now: a browser opens one socket to a server at a time. */
  #resuming: Promise<boolean> | undefined;
  /** How many sockets did not open since the last one was lost. */
  #unopened = 0;
  /** Aborts a socket that is opening. */
  readonly #over = new AbortController();
  /** Sockets that got no answer to the `joinRoom` that was to resume the session. */
  readonly #silent: ProtooSocket[] = [];

  /**
   * Connects to the assigned daemon and joins the room.
   *
   * @throws {RoomError} DAEMON_UNREACHABLE, REFUSED, UNAVAILABLE, ...
   */
  static async join(
    assignment: Assignment,
    { appData, messagesOfMs }: { appData: Record<string, unknown>; messagesOfMs?: number | undefined },
    listen: (signaling: Signaling) => void,
    signal?: AbortSignal,
  ): Promise<{ signaling: Signaling; joined: Joined }> {
    const signaling = new Signaling(assignment);
    listen(signaling);
    const joined = await signaling.#connect(assignment.url, OPEN_TIMEOUT_MS, {
      appData,
      ...(messagesOfMs !== undefined && { messagesOfMs }),
      signal,
    });
    return { signaling, joined };
  }

  private constructor(assignment: Assignment) {
    super();
    this.#assignment = assignment;
  }

  get isOver(): boolean {
    return this.#state.kind === 'over';
  }

  /**
   * Resumes the session over a new socket, and settles the requests that were not answered. Calls that overlap wait for the
   * same socket.
   *
   * @returns false if the session has ended at the daemon
   * @throws {RoomError} DAEMON_UNREACHABLE if another attempt may succeed, REFUSED if not
   */
  resume(): Promise<boolean> {
    if (this.#state.kind !== 'lost') {
      return Promise.reject(new RoomError('INTERNAL', 'There is no lost socket, so nothing to resume'));
    }
    this.#resuming ??= this.#resume(this.#state.former).finally(() => {
      this.#resuming = undefined;
    });
    return this.#resuming;
  }

  /**
   * Sends a request. While the socket is lost, the request waits until the session is resumed.
   *
   * @throws {RoomError} as the daemon refuses it; CONNECTION_LOST if the session ends before the answer
   */
  request<M extends Method>(method: M, data: RequestData<M>): Promise<ResponseData<M>> {
    if (this.#state.kind === 'over')
      return Promise.reject(new RoomError('CONNECTION_LOST', 'The connection is closed'));
    const { socket } = this.#state.kind === 'open' ? this.#state : { socket: undefined };
    return this.#requests.add(socket, method, data);
  }

  /** Pings the daemon now. Where it does not answer in time the socket is lost. */
  probe(timeoutMs?: number): void {
    if (this.#state.kind === 'open') this.#state.heartbeat.probe(timeoutMs);
  }

  /** Pings the daemon, whose media has stopped: it has less time to answer. */
  suspect(): void {
    if (this.#state.kind === 'open') this.#state.heartbeat.suspect();
  }

  /** Leaves the room. The daemon notices by the closed socket. */
  close(): void {
    const state = this.#state;
    if (state.kind === 'over') return;
    this.#state = { kind: 'over' };
    this.#over.abort();
    this.#requests.rejectAll(new RoomError('CONNECTION_LOST', 'The connection is closed'));
    if (state.kind === 'open') {
      state.heartbeat.stop();
      state.socket.close();
    } else state.former.close();
    for (const silent of this.#silent.splice(0)) silent.close();
  }

  async #resume(former: ProtooSocket): Promise<boolean> {
    const url = new URL(this.#assignment.url);
    url.searchParams.set('sessionId', this.#sessionId);
    const { first, longest, growth } = REOPEN_TIMEOUT_MS;
    const timeoutMs = Math.min(longest, first * growth ** this.#unopened++);
    try {
      const joined = await this.#connect(url.href, timeoutMs, {
        sessionId: this.#sessionId,
        ...(this.#lastMessage !== undefined && { lastMessage: this.#lastMessage }),
        signal: this.#over.signal,
      });
      former.close();
      if (joined.snapshot) {
        this.#settle(joined.snapshot);
        this.emit('resumed', { ...joined, snapshot: joined.snapshot });
        return true;
      }
    } catch (error) {
      if (!isGone(RoomError.from(error))) throw error;
    }
    this.close();
    return false;
  }

  async #connect(
    url: string,
    timeoutMs: number,
    {
      signal,
      ...how
    }: Pick<RequestData<'joinRoom'>, 'appData' | 'sessionId' | 'messagesOfMs' | 'lastMessage'> & {
      signal?: AbortSignal | undefined;
    },
  ): Promise<Joined> {
    const { roomId, peerId } = this.#assignment;
    let socket: ProtooSocket | undefined;
    const resumes = how.sessionId !== undefined;
    const ended = Promise.withResolvers<never>();
    ended.promise.catch(() => {});
    const handlers = {
      answered: (answer: Answer) => this.#requests.answered(answer),
      notified: (notification: AnyNotification) => this.#notified(notification),
      ended: (end: SocketEnd) => {
        const error = this.#endError(end);
        ended.reject(error);
        if (this.#state.kind === 'open' && this.#state.socket === socket) this.#ended(socket, end, error);
      },
    };
    socket = await ProtooSocket.open(url, timeoutMs, handlers, signal);
    this.#unopened = 0;
    this.#reason = undefined;
    // If this socket gets no answer, a later one may resume the session and closes this one.
    const late = setTimeout(
      () => ended.reject(new RoomError('DAEMON_UNREACHABLE', 'The media server does not answer')),
      resumes ? JOIN_AGAIN_TIMEOUT_MS : REQUEST_TIMEOUT_MS,
    );
    try {
      const data = { roomId, peerId, transports: ['send', 'recv'] as ('send' | 'recv')[], ...how };
      const askedAt = performance.now();
      const joined = await Promise.race([this.#requests.add(socket, 'joinRoom', data), ended.promise]);
      if (resumes && this.#state.kind !== 'lost') throw new RoomError('CONNECTION_LOST', 'The session was closed');
      this.#sessionId = joined.sessionId;
      this.#open(socket, performance.now() - askedAt);
      for (const silent of this.#silent.splice(0)) silent.close();
      return joined;
    } catch (error) {
      // A close frame that arrives late would mean that the peer leaves.
      if (resumes && this.#state.kind === 'lost') {
        socket.abandon();
        this.#silent.push(socket);
      } else socket.close();
      this.#requests.forgetJoin();
      throw joinError(RoomError.from(error));
    } finally {
      clearTimeout(late);
    }
  }

  #open(socket: ProtooSocket, answerMs: number): void {
    const heartbeat = new Heartbeat(
      () => this.#requests.add(socket, 'ping', {}),
      () => {
        socket.abandon();
        this.#lose(socket, new RoomError('CONNECTION_LOST', 'The media server does not answer'), true);
      },
      answerMs,
    );
    this.#state = { kind: 'open', socket, heartbeat };
  }

  #notified(notification: AnyNotification): void {
    if (notification.method === 'error' && notification.data.method === undefined) {
      this.#reason = notification.data;
    } else {
      if (notification.method === 'peerMessage') this.#lastMessage = notification.data.sequence;
      this.emit('notification', notification);
    }
  }

  #endError({ forGood }: SocketEnd): RoomError {
    const { code: status, reason = 'The media server closed the connection' } = this.#reason ?? {};
    const { serverCode, text } = splitReason(reason);
    if (forGood) return new RoomError('REFUSED', text, { status, serverCode: this.#reason?.reasonCode ?? serverCode });
    return new RoomError('CONNECTION_LOST', 'The connection was lost', { cause: this.#reason });
  }

  #ended(socket: ProtooSocket, { forGood }: SocketEnd, error: RoomError): void {
    if (!forGood) {
      this.#lose(socket, error, false);
      return;
    }
    this.close();
    this.emit('refused', error);
  }

  #lose(former: ProtooSocket, error: RoomError, silent: boolean): void {
    if (this.#state.kind === 'open') this.#state.heartbeat.stop();
    this.#state = { kind: 'lost', former };
    this.#requests.socketLost(error);
    this.emit('lost', error, silent);
  }
  /** Answers the requests that the lost socket left unanswered, or sends them again. */
  #settle(snapshot: Snapshot): void {
    if (this.#state.kind === 'open') this.#requests.settle(this.#state.socket, snapshot);
  }
}

/** Whether the refusal of a `joinRoom` that was to resume a session says that the session has ended. */
function isGone({ status, serverCode }: RoomError): boolean {
  // Without a session to resume, the daemon looks at the token of the address, which is used up.
  return status === 401 || serverCode === 'ROOM_CLOSED' || serverCode === 'ROOM_ELSEWHERE';
}
