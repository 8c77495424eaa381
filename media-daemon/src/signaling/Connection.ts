import type { Logger } from '@mediasoup-server/process/logger';
import {
  CLOSE_COME_BACK,
  CLOSE_FOR_GOOD,
  type Notification,
  type NotificationData,
  type RequestData,
  type ResponseData,
} from '@mediasoup-server/proto/signaling';
import protoo from 'protoo-server';
import { RequestError } from '../errors.ts';
import type { Peer } from '../rooms/Peer.ts';
import type { Room } from '../rooms/Room.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Admission } from './admission.ts';
import { handleRequest, isMethod, parseRequest } from './requests.ts';
import type { WebSocketTransport } from './WebSocketTransport.ts';

/** Finds or makes the room that a connection joins, in agreement with the control plane where there is one. */
export type OpenRoom = (admission: Admission) => Promise<Room>;

export type ConnectionOptions = {
  readonly openRoom: OpenRoom;
  readonly joinTimeoutMs: number;
  readonly metrics: Metrics;
  readonly logger: Logger;
};

type State =
  | { readonly is: 'connected' }
  | { readonly is: 'joining' }
  | { readonly is: 'joined'; readonly room: Room; readonly peer: Peer }
  | { readonly is: 'closed' };

/** One socket of one peer: from its admission to its close. */
export class Connection {
  readonly #admission: Admission;
  readonly #transport: WebSocketTransport;
  readonly #protoo: protoo.Peer;
  readonly #options: ConnectionOptions;
  readonly #logger: Logger;
  readonly #joinTimer: NodeJS.Timeout;
  /** What is to be told once the answer to `joinRoom` is out; notifications do not overtake it. */
  readonly #held: (() => void)[] = [];
  #answered = false;
  #state: State = { is: 'connected' };

  constructor(admission: Admission, transport: WebSocketTransport, options: ConnectionOptions) {
    this.#admission = admission;
    this.#transport = transport;
    this.#options = options;
    this.#logger = options.logger.child({ roomId: admission.roomId, peerId: admission.peerId });
    this.#joinTimer = setTimeout(() => this.refuse(408, 'no joinRoom came in time'), options.joinTimeoutMs);
    // A protoo room of its own: rooms and peers are ours, and only protoo's requests and responses are wanted.
    this.#protoo = new protoo.Room().createPeer(admission.peerId, transport as never);
    this.#protoo.on('request', (request, accept, reject) => {
      this.#answer(request.method, request.data).then(accept, (error: RequestError) =>
        reject(error.code, error.message),
      );
    });
    this.#protoo.on('notification', ({ method, data }) => {
      this.#answer(method, data).catch(({ code, message }: RequestError) =>
        this.notify('error', { code, reason: message, method }),
      );
    });
    this.#protoo.on('close', () => this.#ended());
  }

  /** The peer that the connection carries, once it has joined. */
  get peer(): Peer | undefined {
    return this.#state.is === 'joined' ? this.#state.peer : undefined;
  }

  notify<N extends Notification>(method: N, data: NotificationData<N>): void {
    // A socket that just closed takes nothing more; its close event follows and is what counts.
    this.#protoo.notify(method, data).catch(() => {});
  }

  /** Ends the connection for good, after saying why. */
  refuse(code: number, reason: string): void {
    this.#logger.info({ code, reason }, 'connection refused');
    this.notify('error', { code, reason });
    this.#transport.close(CLOSE_FOR_GOOD, 'refused');
  }

  /** Ends the connection; the client has been told why. */
  end(comeBack: boolean): void {
    this.#transport.close(comeBack ? CLOSE_COME_BACK : CLOSE_FOR_GOOD);
  }

  /** @throws RequestError whatever went wrong. */
  async #answer(method: string, data: unknown): Promise<object> {
    const known = isMethod(method);
    try {
      if (!known) throw new RequestError(404, `there is no method ${JSON.stringify(method.slice(0, 64))}`);
      const answer = await this.#dispatch(method, data);
      this.#options.metrics.requests.inc({ method, code: 200 });
      return answer;
    } catch (cause) {
      const error = RequestError.from(cause);
      this.#options.metrics.requests.inc({ method: known ? method : 'unknown', code: error.code });
      if (error.code === 500) this.#logger.error({ err: cause, method }, 'request failed');
      throw error;
    }
  }

  async #dispatch(method: Parameters<typeof parseRequest>[0], data: unknown): Promise<object> {
    switch (method) {
      case 'ping':
        return {};
      case 'joinRoom':
        return this.#join(parseRequest(method, data));
      case 'leaveRoom':
        // The answer goes out before the close frame: the socket keeps the order.
        setImmediate(() => this.#transport.close(CLOSE_FOR_GOOD, 'left'));
        return {};
      default: {
        if (this.#state.is !== 'joined') throw new RequestError(409, 'the peer has not joined: joinRoom comes first');
        return handleRequest(this.#state.peer, method, parseRequest(method, data) as never);
      }
    }
  }

  async #join(data: RequestData<'joinRoom'>): Promise<ResponseData<'joinRoom'>> {
    const { roomId, peerId } = this.#admission;
    if (data.roomId !== roomId) throw new RequestError(403, 'roomId is not the one of the connection');
    if (data.peerId !== peerId) throw new RequestError(403, 'peerId is not the one of the connection');
    if (this.#state.is !== 'connected') throw new RequestError(409, 'the peer has joined already');
    this.#state = { is: 'joining' };
    let room: Room;
    try {
      room = await this.#options.openRoom(this.#admission);
    } catch (error) {
      this.#backTo('connected');
      throw error;
    }
    if (this.#transport.closed) {
      room.closeIfUnused();
      throw new RequestError(409, 'the connection has closed');
    }
    let peer: Peer;
    try {
      peer = room.join(peerId, data.appData ?? {}, (method, told) => this.#tell(method, told));
    } catch (error) {
      this.#backTo('connected');
      throw error;
    }
    this.#state = { is: 'joined', room, peer };
    clearTimeout(this.#joinTimer);
    this.#logger.info('peer joined');
    const transports: NonNullable<ResponseData<'joinRoom'>['transports']> = {};
    for (const direction of new Set(data.transports))
      transports[direction] = await peer.createWebRtcTransport({ direction });
    room.announceTo(peer);
    // protoo sends the answer once this promise has resolved, which is before any immediate.
    setImmediate(() => {
      for (const tell of this.#held.splice(0)) tell();
      this.#answered = true;
    });
    const others = room.peers.filter((other) => other !== peer);
    return {
      rtpCapabilities: room.rtpCapabilities as ResponseData<'joinRoom'>['rtpCapabilities'],
      peers: others.map((other) => ({ peerId: other.id, appData: other.appData })),
      ...(data.transports && { transports }),
      iceServers: [],
    };
  }

  #tell<N extends Notification>(method: N, data: NotificationData<N>): void {
    if (this.#answered) this.notify(method, data);
    else this.#held.push(() => this.notify(method, data));
  }

  #backTo(state: 'connected'): void {
    if (this.#state.is === 'joining') this.#state = { is: state };
  }

  #ended(): void {
    clearTimeout(this.#joinTimer);
    const state = this.#state;
    this.#state = { is: 'closed' };
    if (state.is !== 'joined') return;
    this.#logger.info('peer left');
    state.room.leave(state.peer);
  }
}
