import { randomBytes } from 'node:crypto';
import type { Notification, NotificationData } from '@mediasoup-server/proto/signaling';
import { RequestError } from '../errors.ts';
import type { Joining, Peer } from '../peers/Peer.ts';
import type { Room } from '../rooms/Room.ts';
import type { Leave } from '../rooms/RoomEvent.ts';

/** The connection that carries a session. */
export type Carrier = {
  /** Whether its socket takes more of what can wait. */
  readonly isReady: boolean;
  notify<N extends Notification>(method: N, data: NotificationData<N>): void;
  /** Ends it after saying why. */
  refuse(error: RequestError): void;
  /** Ends it; the client has been told why. */
  end(comeBack: boolean): void;
};

type State =
  | { readonly kind: 'connected'; readonly by: Carrier }
  | { readonly kind: 'disconnected'; readonly graceTimer: NodeJS.Timeout }
  | { readonly kind: 'ended' };

export type SessionOptions = {
  /** Milliseconds that a peer stays after its socket was lost. */
  readonly graceMs: number;
  /** No socket resumed the session in time. */
  readonly onExpired: (session: Session) => void;
  readonly onEnded: (session: Session) => void;
};

/** A peer's stay in a room. It outlives the sockets that carry it by a grace time. */
export class Session {
  /** 256 random bits that only the client knows; they resume the session. */
  readonly id = randomBytes(32).toString('base64url');
  readonly room: Room;
  readonly peer: Peer;
  readonly #options: SessionOptions;
  /** Requests in progress, of every socket of the session. */
  readonly #doing = new Set<Promise<unknown>>();
  #state: State;

  /** @throws RequestError when the room does not take the peer. */
  constructor(room: Room, joining: Omit<Joining, 'inbox'>, by: Carrier, options: SessionOptions) {
    this.room = room;
    this.#options = options;
    this.#state = { kind: 'connected', by };
    this.peer = room.join({
      ...joining,
      inbox: {
        isReady: () => this.#state.kind === 'connected' && this.#state.by.isReady,
        deliver: (message) => this.notify('peerMessage', message),
        missed: (count) => this.notify('messagesMissed', { count }),
      },
    });
  }

  /** Whether it waits for a socket. */
  get isDisconnected(): boolean {
    return this.#state.kind === 'disconnected';
  }

  get hasEnded(): boolean {
    return this.#state.kind === 'ended';
  }

  /** Tracks a request in progress, so that no snapshot is taken in the middle of it. */
  track<T>(doing: Promise<T>): Promise<T> {
    const done = doing.catch(() => {}).finally(() => this.#doing.delete(done));
    this.#doing.add(done);
    return doing;
  }

  /** Resolves when every request is done. */
  async settle(): Promise<void> {
    while (this.#doing.size > 0) await Promise.all(this.#doing);
  }

  /** Continues over another connection; the former one ends. */
  attach(to: Carrier): void {
    const state = this.#state;
    if (state.kind === 'ended') throw new Error('the session has ended');
    this.#state = { kind: 'connected', by: to };
    if (state.kind === 'disconnected') clearTimeout(state.graceTimer);
    else state.by.refuse(new RequestError('PEER_REPLACED', 'the session continues over another connection'));
    this.peer.setConnected(true);
  }

  /** A connection ended. The peer leaves if its client said so; otherwise the session waits for another socket. */
  detach(from: Carrier, left: boolean): void {
    if (this.#state.kind !== 'connected' || this.#state.by !== from) return;
    if (left) {
      this.#leave({ kind: 'left' });
      return;
    }
    this.#state = { kind: 'disconnected', graceTimer: setTimeout(() => this.#expire(), this.#options.graceMs) };
    this.peer.setConnected(false);
  }

  /** Without a socket nothing is sent: the snapshot of a resumed session has the state. */
  notify<N extends Notification>(method: N, data: NotificationData<N>): void {
    if (this.#state.kind === 'connected') this.#state.by.notify(method, data);
  }

  /** Ends with the peer's stay in the room; its client has been notified why. */
  end(comeBack: boolean): void {
    const state = this.#state;
    if (state.kind === 'ended') return;
    this.#state = { kind: 'ended' };
    if (state.kind === 'connected') state.by.end(comeBack);
    else clearTimeout(state.graceTimer);
    this.#options.onEnded(this);
  }

  #expire(): void {
    this.#options.onExpired(this);
    this.#leave({ kind: 'lost' });
  }

  #leave(leave: Leave): void {
    this.end(false);
    this.room.leave(this.peer, leave);
  }
}
