import type { Assignment } from '@mediasoup-server/proto/http';
import { ROOM_FULL } from '@mediasoup-server/proto/protoo';
import type { Method, RequestData, ResponseData, Snapshot } from '@mediasoup-server/proto/signaling';
import { protooToRoomError, RoomError } from '../errors.ts';
import { TypedEmitter } from '../events.ts';
import { outcomeOf } from './lostRequest.ts';
import { type Answer, type AnyNotification, ProtooSocket, type SocketEnd } from './ProtooSocket.ts';

/** How long a socket may take to open when a daemon was just assigned, ms. */
const OPEN_TIMEOUT_MS = 8_000;
/** How long it may take when a session is resumed, ms: its daemon may be dead, and then the control plane is asked. */
const REOPEN_TIMEOUT_MS = 3_000;
/** How long the daemon may take to resume the session when the socket is open, ms. */
const JOIN_AGAIN_TIMEOUT_MS = 5_000;
/** How long an answer may take, ms. */
const REQUEST_TIMEOUT_MS = 20_000;
/** How often the daemon is asked whether it is there (a browser cannot see WebSocket pings), ms. */
const PING_INTERVAL_MS = 5_000;
/** How long it may take to answer that, ms. */
const PING_TIMEOUT_MS = 3_000;
/** How late a timer is in a page that was busy or hidden, ms, and how long such a page has to read what came meanwhile. */
const BUSY_MS = 100;

type Joined = ResponseData<'joinRoom'>;
/** A session that goes on: what it has and sees. */
export type Resumed = Joined & { readonly snapshot: Snapshot };

type State =
  | { readonly kind: 'open'; readonly socket: ProtooSocket }
  /** The socket is gone, the session is not. `former` is closed when the session goes on over another. */
  | { readonly kind: 'lost'; readonly former: ProtooSocket }
  | { readonly kind: 'over' };

interface Pending {
  readonly method: Method;
  readonly data: unknown;
  readonly resolve: (data: unknown) => void;
  readonly reject: (error: RoomError) => void;
  /** Runs while there is a socket that the answer may come over. */
  timer?: ReturnType<typeof setTimeout>;
}

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
  readonly #pending = new Map<number, Pending>();
  #state: State = { kind: 'over' };
  #sessionId = '';
  #nextId = 1;
  /** The sequence of the last message of another peer that came. */
  #lastMessage: number | undefined;
  /** Why the socket is about to be closed, as the daemon has just said. */
  #reason: { readonly code: number; readonly reason: string } | undefined;
  /** Whether a socket is open and has not joined yet. */
  #joins = false;
  /** Sockets that were to resume the session and got no answer. */
  readonly #silent: ProtooSocket[] = [];
  #pingTimer: ReturnType<typeof setTimeout> | undefined;

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
    return this.#requestOver(socket, method, data);
  }

  /** Asks the daemon now whether it is there; where it does not answer the socket is lost. */
  probe(timeoutMs = PING_TIMEOUT_MS): void {
    clearTimeout(this.#pingTimer);
    if (this.#state.kind !== 'open') return;
    const { socket } = this.#state;
    const due = performance.now() + timeoutMs;
    const silent = (): void => {
      if (this.#state.kind !== 'open' || this.#state.socket !== socket) return;
      socket.abandon();
      this.#lose(socket, new RoomError('CONNECTION_LOST', 'The media server went silent'), true);
    };
    this.#pingTimer = setTimeout(() => {
      if (performance.now() - due > BUSY_MS) this.#pingTimer = setTimeout(silent, BUSY_MS);
      else silent();
    }, timeoutMs);
    const next = (): void => {
      if (this.#state.kind === 'open' && this.#state.socket === socket) this.#schedulePing();
    };
    // A refusal is an answer too.
    this.#requestOver(socket, 'ping', {}).then(next, ({ status }: RoomError) => status !== undefined && next());
  }

  /** Leaves: the closing socket tells the daemon. */
  close(): void {
    const state = this.#state;
    if (state.kind === 'over') return;
    this.#state = { kind: 'over' };
    clearTimeout(this.#pingTimer);
    this.#rejectAll(new RoomError('CONNECTION_LOST', 'The connection is closed'));
    if (state.kind === 'open') state.socket.close();
    else state.former.close();
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
      answered: (answer: Answer) => this.#answered(answer),
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
      const joined = await Promise.race([this.#requestOver(socket, 'joinRoom', data), ended.promise]);
      if (resumes && this.#state.kind !== 'lost') throw new RoomError('CONNECTION_LOST', 'The session was given up');
      this.#sessionId = joined.sessionId;
      this.#state = { kind: 'open', socket };
      for (const silent of this.#silent.splice(0)) silent.close();
      this.#schedulePing();
      return joined;
    } catch (error) {
      // A close frame that arrives late would mean leaving.
      if (resumes && this.#state.kind === 'lost') {
        socket.abandon();
        this.#silent.push(socket);
      } else socket.close();
      for (const [id, { method }] of this.#pending) if (method === 'joinRoom') this.#take(id);
      throw joinError(RoomError.from(error));
    } finally {
      clearTimeout(late);
      this.#joins = false;
    }
  }

  #requestOver<M extends Method>(
    socket: ProtooSocket | undefined,
    method: M,
    data: RequestData<M>,
  ): Promise<ResponseData<M>> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { method, data, resolve: resolve as (data: unknown) => void, reject });
      if (socket) this.#send(socket, id);
    });
  }

  #send(socket: ProtooSocket, id: number): void {
    const pending = this.#pending.get(id);
    if (!pending) return;
    clearTimeout(pending.timer);
    pending.timer = setTimeout(() => {
      this.#take(id)?.reject(new RoomError('UNAVAILABLE', 'The media server does not answer'));
    }, REQUEST_TIMEOUT_MS);
    socket.send(id, pending.method, pending.data);
  }

  #answered({ id, data, error }: Answer): void {
    const pending = this.#take(id);
    if (error) pending?.reject(protooToRoomError(error));
    else pending?.resolve(data);
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    clearTimeout(pending?.timer);
    return pending;
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
    clearTimeout(this.#pingTimer);
    this.#state = { kind: 'lost', former };
    for (const [id, { method, timer }] of this.#pending) {
      clearTimeout(timer);
      // What belongs to the socket alone is not asked again.
      if (method === 'ping') this.#take(id)?.reject(error);
    }
    this.emit('lost', error, silent);
  }

  /** Answers what the lost socket left unanswered, or asks it again. */
  #settle(snapshot: Snapshot): void {
    if (this.#state.kind !== 'open') return;
    const { socket } = this.#state;
    for (const [id, { method, data }] of this.#pending) {
      const outcome = outcomeOf(method, data, snapshot);
      if (outcome.kind === 'done') this.#take(id)?.resolve(outcome.answer);
      else this.#send(socket, id);
    }
  }

  #rejectAll(error: RoomError): void {
    for (const id of this.#pending.keys()) this.#take(id)?.reject(error);
  }

  #schedulePing(): void {
    clearTimeout(this.#pingTimer);
    this.#pingTimer = setTimeout(() => this.probe(), PING_INTERVAL_MS);
  }
}

function joinError(error: RoomError): RoomError {
  const { status, message } = error;
  // The room has just closed, or is elsewhere by now: a new assignment knows.
  if (status === 409) return new RoomError('UNAVAILABLE', message, { status, cause: error });
  // The page or the network was too slow to join in time (S3), which says nothing about the peer.
  if (status === 408) return new RoomError('UNAVAILABLE', message, { status, cause: error });
  // The code alone does not tell it from a daemon that is busy (S34).
  if (status === 503 && message.startsWith(ROOM_FULL)) {
    return new RoomError('ROOM_FULL', message, { status, cause: error });
  }
  return error;
}
