import {
  CLOSE_COME_BACK,
  CLOSE_FOR_GOOD,
  type Method,
  type Notification,
  type NotificationData,
  type RequestData,
  type ResponseData,
} from '@mediasoup-server/proto/signaling';
import { type IceServerSettings, iceServersFor } from '@mediasoup-server/server-kit/iceServers';
import type { Logger } from '@mediasoup-server/server-kit/logger';
import { inSpan } from '@mediasoup-server/server-kit/tracing';
import protoo from 'protoo-server';
import type { Admission } from '../admission/Admission.ts';
import type { JoinRequest } from '../admission/joinRequest.ts';
import type { Ticket } from '../admission/Ticket.ts';
import { RequestError } from '../errors.ts';
import type { Grants } from '../peers/Grants.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { handleRequest, isMethod, parseRequest } from './requests.ts';
import type { Carrier, Session } from './Session.ts';
import type { Sessions } from './Sessions.ts';
import { snapshotOf } from './snapshot.ts';
import type { WebSocketTransport } from './WebSocketTransport.ts';
import { describeError, describeTransport } from './wireShapes.ts';

/** The most characters of an unknown method name that are sent back. */
const MAX_ECHO = 64;

export type ConnectionOptions = IceServerSettings & {
  readonly admission: Admission;
  readonly sessions: Sessions;
  readonly joinTimeoutMs: number;
  readonly metrics: Metrics;
  readonly logger: Logger;
};

type State =
  | { readonly kind: 'connected' }
  | { readonly kind: 'joining' }
  | { readonly kind: 'joined'; readonly session: Session }
  | { readonly kind: 'closed' };

/** How a request is answered: once, with one of the two. */
type Respond = { readonly accept: (data: object) => void; readonly reject: (error: RequestError) => void };

/** One socket of one peer: from its admission to its close. */
export class Connection implements Carrier {
  readonly #request: JoinRequest;
  readonly #authorize: () => Promise<Ticket>;
  readonly #transport: WebSocketTransport;
  readonly #protoo: protoo.Peer;
  readonly #options: ConnectionOptions;
  readonly #logger: Logger;
  #joinTimer: NodeJS.Timeout;
  readonly #unanswered = new Set<Respond>();
  readonly #openedAt = performance.now();
  #state: State = { kind: 'connected' };

  /** @param authorize verifies the token of the request; its bearer may not join when it rejects. */
  constructor(
    request: JoinRequest,
    authorize: () => Promise<Ticket>,
    transport: WebSocketTransport,
    options: ConnectionOptions,
  ) {
    this.#request = request;
    this.#authorize = authorize;
    this.#transport = transport;
    this.#options = options;
    this.#logger = options.logger.child({ roomId: request.roomId, peerId: request.peerId });
    this.#joinTimer = setTimeout(
      () => this.refuse(new RequestError('JOIN_TIMEOUT', 'the client did not send joinRoom in time')),
      options.joinTimeoutMs,
    );
    transport.on('close', (left) => this.#ended(left));
    transport.on('drained', () => {
      if (this.#state.kind === 'joined') this.#state.session.peer.messages.deliver();
    });
    // A protoo room of its own: rooms and peers are ours, and only protoo's requests and responses are wanted.
    this.#protoo = new protoo.Room().createPeer(request.peerId, transport as never);
    this.#protoo.on('request', ({ method, data }, accept, reject) =>
      this.#answer(method, data, { accept, reject: ({ status, reason }) => reject(status, reason) }),
    );
    this.#protoo.on('notification', ({ method, data }) =>
      this.#answer(method, data, {
        accept: () => {},
        reject: (error) => this.notify('error', { ...describeError(error), method: method.slice(0, MAX_ECHO) }),
      }),
    );
  }

  /** Whether its socket takes more of what can wait. */
  get isReady(): boolean {
    return this.#transport.isReady;
  }

  notify<N extends Notification>(method: N, data: NotificationData<N>): void {
    this.#transport.notify(method, data);
  }

  /** Ends the connection after saying why: for good, unless it is only not possible now. */
  refuse(error: RequestError): void {
    this.#logger.info({ code: error.code, reason: error.message }, 'connection refused');
    this.notify('error', describeError(error));
    this.end(error.status === 503, error);
  }

  /** Refuses the connection unless it joins within a time: a session is resumed without a valid token. */
  refuseUnlessJoined(error: RequestError, ms: number): void {
    if (this.#state.kind === 'joined' || this.#state.kind === 'closed') return;
    clearTimeout(this.#joinTimer);
    this.#joinTimer = setTimeout(() => this.refuse(error), Math.min(ms, this.#options.joinTimeoutMs));
  }

  /** Ends the connection; the client has been told why. What it asked and is not answered is answered first. */
  end(comeBack: boolean, because = new RequestError('CONNECTION_CLOSING', 'the connection is being closed')): void {
    for (const { reject } of this.#unanswered) reject(because);
    this.#unanswered.clear();
    this.#transport.close(comeBack ? CLOSE_COME_BACK : CLOSE_FOR_GOOD);
  }

  /** Answers once, also when the connection is closed meanwhile. */
  async #answer(method: string, data: unknown, respond: Respond): Promise<void> {
    const known = isMethod(method);
    const { requests, requestSeconds, limited } = this.#options.metrics;
    // Unknown method names are not used as metric labels.
    const label = { method: known ? method : 'unknown' };
    const stopTimer = requestSeconds.startTimer(label);
    const count = (status: number) => {
      stopTimer();
      requests.inc({ ...label, code: status });
    };
    const once = (give: () => void) => {
      if (this.#unanswered.delete(respond)) give();
    };
    this.#unanswered.add(respond);
    try {
      if (!known)
        throw new RequestError('METHOD_NOT_FOUND', `there is no method ${JSON.stringify(method.slice(0, MAX_ECHO))}`);
      await this.#dispatch(method, data, (answer) => once(() => respond.accept(answer)));
      count(200);
    } catch (cause) {
      const error = RequestError.from(cause);
      if (error.code === 'INTERNAL') this.#logger.error({ err: cause, method }, 'request failed');
      count(error.status);
      if (error.limit) limited.inc({ limit: error.limit });
      once(() => respond.reject(error));
    }
  }

  async #dispatch(method: Method, data: unknown, accept: Respond['accept']): Promise<void> {
    switch (method) {
      case 'ping':
        accept({});
        break;
      case 'joinRoom':
        await this.#join(parseRequest(method, data), accept);
        break;
      case 'leaveRoom':
        accept({});
        this.end(false);
        break;
      default: {
        if (this.#state.kind !== 'joined')
          throw new RequestError('NOT_JOINED', 'the peer has not joined: joinRoom comes first');
        const { session } = this.#state;
        accept(await session.track(handleRequest(session.peer, method, parseRequest(method, data) as never)));
      }
    }
  }

  async #join(data: RequestData<'joinRoom'>, accept: Respond['accept']): Promise<void> {
    const { roomId, peerId, traceparent } = this.#request;
    if (data.roomId !== roomId) throw new RequestError('WRONG_CONNECTION', 'roomId is not the one of the connection');
    if (data.peerId !== peerId) throw new RequestError('WRONG_CONNECTION', 'peerId is not the one of the connection');
    if (this.#state.kind !== 'connected') throw new RequestError('ALREADY_JOINED', 'the peer has already joined');
    this.#state = { kind: 'joining' };
    try {
      await inSpan('joinRoom', { kind: 'server', attributes: { roomId, peerId }, traceparent }, async () => {
        if (!(await this.#resume(data, accept))) await this.#enter(data, accept);
      });
    } catch (error) {
      const state = this.#state as State;
      if (state.kind === 'joining') this.#state = { kind: 'connected' };
      // Half joined helps nobody; the error is answered before the socket closes.
      if (state.kind === 'joined') setImmediate(() => this.end(true));
      throw error;
    }
  }

  /** Resumes a session whose socket was lost, if the client names one that still exists. */
  async #resume(data: RequestData<'joinRoom'>, accept: Respond['accept']): Promise<boolean> {
    const { sessions, metrics } = this.#options;
    const sessionId = data.sessionId ?? this.#request.sessionId;
    const session = sessionId === undefined ? undefined : sessions.find(sessionId, this.#request);
    if (!session) return false;
    // A transport that the lost socket asked for may still be in creation; it must not be created twice.
    await session.settle();
    const transports = await session.track(createTransports(session, data.transports));
    await session.settle();
    if (this.#transport.closed) throw new RequestError('CONNECTION_CLOSED', 'the connection has closed');
    if (session.hasEnded) return false;
    // Nothing waits from here on, so that every later notification is about what the snapshot lacks.
    if (data.lastMessage !== undefined) session.peer.messages.goOnAfter(data.lastMessage);
    session.attach(this);
    this.#joined(session);
    metrics.sessionEvents.inc({ event: 'resumed' });
    this.#logger.info('session resumed');
    accept({
      ...welcome(session, transports, this.#options),
      resumed: true,
      snapshot: snapshotOf(session.peer, session.room.viewOf(session.peer)),
    });
    this.#timeJoin('resumed');
    session.room.remindToMove(session.peer);
    session.peer.messages.deliver();
    return true;
  }

  async #enter(data: RequestData<'joinRoom'>, accept: Respond['accept']): Promise<void> {
    await this.#admit();
    const room = await this.#options.admission.openRoom(this.#request);
    // A backend may have removed the peer or closed the room since the connection was opened or while this waited.
    const grants = await this.#admit().catch((error) => {
      room.closeIfUnused();
      throw error;
    });
    if (this.#transport.closed) {
      room.closeIfUnused();
      throw new RequestError('CONNECTION_CLOSED', 'the connection has closed');
    }
    const { peerId } = this.#request;
    const session = this.#options.sessions.open(room, { peerId, appData: data.appData ?? {}, grants }, this);
    this.#joined(session);
    if (data.messagesOfMs !== undefined) session.peer.messages.beginBefore(data.messagesOfMs);
    const transports = await session.track(createTransports(session, data.transports));
    accept({ ...welcome(session, transports, this.#options), resumed: false });
    this.#timeJoin('new');
    session.room.announceTo(session.peer);
  }

  /** What the peer may do now. Ends the connection when the peer may not join. */
  async #admit(): Promise<Grants> {
    try {
      return await this.#options.admission.admit(this.#request, this.#authorize);
    } catch (error) {
      this.refuse(RequestError.from(error));
      throw error;
    }
  }

  #joined(session: Session): void {
    this.#state = { kind: 'joined', session };
    clearTimeout(this.#joinTimer);
  }

  #timeJoin(session: 'new' | 'resumed'): void {
    this.#options.metrics.joinSeconds.observe({ session }, (performance.now() - this.#openedAt) / 1000);
  }

  #ended(left: boolean): void {
    clearTimeout(this.#joinTimer);
    this.#unanswered.clear();
    const state = this.#state;
    this.#state = { kind: 'closed' };
    if (state.kind !== 'joined') return;
    if (!left) this.#logger.info('socket lost');
    state.session.detach(this, left);
  }
}

/** Creates the transports that were asked for and do not exist yet. */
async function createTransports(
  { peer }: Session,
  directions: RequestData<'joinRoom'>['transports'],
): Promise<ResponseData<'joinRoom'>['transports']> {
  if (!directions) return undefined;
  const missing = [...new Set(directions)].filter((direction) => !peer.transports.has(direction));
  const made = await Promise.all(
    missing.map(async (direction) => [direction, describeTransport(await peer.transports.create(direction))] as const),
  );
  return Object.fromEntries(made);
}

const welcome = (
  { id, room, peer }: Session,
  transports: ResponseData<'joinRoom'>['transports'],
  settings: IceServerSettings,
): Omit<ResponseData<'joinRoom'>, 'resumed'> => ({
  rtpCapabilities: room.rtpCapabilities as ResponseData<'joinRoom'>['rtpCapabilities'],
  peers: room.othersThan(peer).map((other) => ({ peerId: other.id, appData: other.appData })),
  sessionId: id,
  ...(transports && { transports }),
  iceServers: iceServersFor(peer.id, settings),
});
