import type { Assignment } from '@mediasoup-server/proto/http';
import type { Method, RequestData, ResponseData, Snapshot } from '@mediasoup-server/proto/signaling';
import { RoomError } from '../errors.ts';
import { TypedEmitter } from '../events.ts';
import { Heartbeat } from './Heartbeat.ts';
import { joinError } from './joinError.ts';
import { PendingRequests, REQUEST_TIMEOUT_MS } from './PendingRequests.ts';
import { type Answer, type AnyNotification, ProtooSocket, type SocketEnd } from './ProtooSocket.ts';

/** How long a socket may take to open when a daemon was just assigned, ms. */
const OPEN_TIMEOUT_MS = 8_000;
/** How long it may take when a session is resumed, ms: its daemon may be dead, and then the control plane is asked. */
const REOPEN_TIMEOUT_MS = 3_000;
/** How long the daemon may take to resume the session when the socket is open, ms. */
const JOIN_AGAIN_TIMEOUT_MS = 5_000;

type Joined = ResponseData<'joinRoom'>;
/** A session that goes on: what it has and sees. */
export type Resumed = Joined & { readonly snapshot: Snapshot };

type State =
  | { readonly kind: 'open'; readonly socket: ProtooSocket; readonly heartbeat: Heartbeat }
  /** The socket is gone, the session is not. `former` is closed when the session goes on over another. */
  | { readonly kind: 'lost'; readonly former: ProtooSocket }
  | { readonly kind: 'over' };

export interface SignalingEvents {
  notification: [notification: AnyNotification];
  /** The socket is gone; `resume` may go on with the session. `silent`: the daemon gave no answer. */
  lost: [error: RoomError, silent: boolean];
  /** The daemon ended the connection and says that the peer must not come back. */
  refused: [error: RoomError];
}

/** What a peer says to its daemon and hears from it, over one socket after another as long as its session lasts. */
export class Signaling extends TypedEmitter<SignalingEvents> {
  readonly #assignment: Assignment;
  readonly #requests = new PendingRequests();
  #state: State = { kind: 'over' };
  #sessionId = '';
  /** The sequence of the last message of another peer that came. */
  #lastMessage: number | undefined;
  /** Why the socket is about to be closed, as the daemon has just said. */
  #reason: { readonly code: number; readonly reason: string } | undefined;
  /** Whether a socket is open and has not joined yet. */
  #joins = false;
  /** Sockets that were to resume the session and got no answer. */
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
   * Goes on with the session over a new socket. What was asked and not answered is answered after all.
   *
   * @returns undefined where the daemon has the session no more
   * @throws {RoomError} DAEMON_UNREACHABLE where that may be tried again, REFUSED where it may not
   */
  async resume(signal?: AbortSignal): Promise<Resumed | undefined> {
    if (this.#state.kind !== 'lost') throw new RoomError('INTERNAL', 'Nothing is to be resumed');
    const { former } = this.#state;
    const url = new URL(this.#assignment.url);
    url.searchParams.set('sessionId', this.#sessionId);
    try {
      const joined = await this.#connect(url.href, REOPEN_TIMEOUT_MS, {
        sessionId: this.#sessionId,
        ...(this.#lastMessage !== undefined && { lastMessage: this.#lastMessage }),
        signal,
      });
      former.close();
      if (joined.snapshot) {
        this.#settle(joined.snapshot);
        return { ...joined, snapshot: joined.snapshot };
      }
    } catch (error) {
      // The token of the address is used up by now: without the session there is nothing to come in with.
      if (RoomError.from(error).status !== 401) throw error;
    }
    this.close();
    return undefined;
  }

  /**
   * Asks the daemon. While the socket is lost the request waits for the session to go on.
   *
   * @throws {RoomError} as the daemon refuses it; CONNECTION_LOST where the session ends before the answer
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

  /** Leaves: the closing socket tells the daemon. */
  close(): void {
    const state = this.#state;
    if (state.kind === 'over') return;
    this.#state = { kind: 'over' };
    this.#requests.rejectAll(new RoomError('CONNECTION_LOST', 'The connection is closed'));
    if (state.kind === 'open') {
      state.heartbeat.stop();
      state.socket.close();
    } else state.former.close();
    for (const silent of this.#silent.splice(0)) silent.close();
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
    if (resumes && (this.#joins || this.#state.kind !== 'lost')) {
      // The daemon ends the socket before the one that resumes last, which must not be the one in use.
      socket.close();
      throw new RoomError('CONNECTION_LOST', 'Another socket resumes the session');
    }
    this.#joins = true;
    this.#reason = undefined;
    // If the network is lost again, a later socket resumes the session, and this one is closed after that.
    const late = setTimeout(
      () => ended.reject(new RoomError('DAEMON_UNREACHABLE', 'The media server does not answer')),
      resumes ? JOIN_AGAIN_TIMEOUT_MS : REQUEST_TIMEOUT_MS,
    );
    try {
      const data = { roomId, peerId, transports: ['send', 'recv'] as ('send' | 'recv')[], ...how };
      const joined = await Promise.race([this.#requests.add(socket, 'joinRoom', data), ended.promise]);
      if (resumes && this.#state.kind !== 'lost') throw new RoomError('CONNECTION_LOST', 'The session was given up');
      this.#sessionId = joined.sessionId;
      this.#open(socket);
      for (const silent of this.#silent.splice(0)) silent.close();
      return joined;
    } catch (error) {
      // A close frame that arrives late would mean leaving.
      if (resumes && this.#state.kind === 'lost') {
        socket.abandon();
        this.#silent.push(socket);
      } else socket.close();
      this.#requests.forgetJoin();
      throw joinError(RoomError.from(error));
    } finally {
      clearTimeout(late);
      this.#joins = false;
    }
  }

  #open(socket: ProtooSocket): void {
    const heartbeat = new Heartbeat(
      () => this.#requests.add(socket, 'ping', {}),
      () => {
        socket.abandon();
        this.#lose(socket, new RoomError('CONNECTION_LOST', 'The media server does not answer'), true);
      },
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
    const { code: status, reason = 'The media server ended the connection' } = this.#reason ?? {};
    if (forGood) return new RoomError('REFUSED', reason, { status });
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
