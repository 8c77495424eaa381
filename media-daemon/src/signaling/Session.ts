import { randomBytes } from 'node:crypto';
import { LeaveReason } from '@mediasoup-server/proto/daemon';
import type { Notification, NotificationData } from '@mediasoup-server/proto/signaling';
import type { Joining, Peer } from '../peers/Peer.ts';
import type { Room } from '../rooms/Room.ts';
import type { Connection } from './Connection.ts';

type State =
  | { readonly is: 'connected'; readonly by: Connection }
  | { readonly is: 'disconnected'; readonly graceTimer: NodeJS.Timeout }
  | { readonly is: 'ended' };

export type SessionOptions = {
  /** Milliseconds that a lost socket's peer stays. */
  readonly graceMs: number;
  /** Nobody came back in time. */
  readonly onExpired: (session: Session) => void;
  readonly onEnded: (session: Session) => void;
};

/** A peer's stay in a room. It outlives the sockets that carry it by a grace time. */
export class Session {
  /** 256 random bits that only the client knows: who has them goes on with the session. */
  readonly id = randomBytes(32).toString('base64url');
  readonly room: Room;
  readonly peer: Peer;
  readonly #options: SessionOptions;
  /** What was asked and is not done, over whichever socket it came. */
  readonly #doing = new Set<Promise<unknown>>();
  #state: State;

  /** @throws RequestError when the room does not take the peer. */
  constructor(room: Room, joining: Omit<Joining, 'notify' | 'isReady'>, by: Connection, options: SessionOptions) {
    this.room = room;
    this.#options = options;
    this.#state = { is: 'connected', by };
    this.peer = room.join({
      ...joining,
      notify: (method, data) => this.#notify(method, data),
      isReady: () => this.#state.is === 'connected' && this.#state.by.isReady,
    });
  }

  /** Whether it waits for a socket. */
  get isDisconnected(): boolean {
    return this.#state.is === 'disconnected';
  }

  get hasEnded(): boolean {
    return this.#state.is === 'ended';
  }

  /** Keeps account of what is being done, so that a snapshot does not fall in the middle of it. */
  track<T>(doing: Promise<T>): Promise<T> {
    const done = doing.catch(() => {}).finally(() => this.#doing.delete(done));
    this.#doing.add(done);
    return doing;
  }

  /** Resolves when everything that was asked is done. */
  async settle(): Promise<void> {
    while (this.#doing.size > 0) await Promise.all(this.#doing);
  }

  /** Goes on over another connection; the former one ends. */
  attach(to: Connection): void {
    const state = this.#state;
    if (state.is === 'ended') throw new Error('the session has ended');
    this.#state = { is: 'connected', by: to };
    if (state.is === 'disconnected') clearTimeout(state.graceTimer);
    else state.by.refuse(409, 'the session goes on over another connection');
    this.peer.isConnected = true;
    this.room.happened({ case: 'peerResumed', value: { peerId: this.peer.id } });
  }

  /** The connection is gone. When the client said so the peer leaves; else it is waited for. */
  detach(from: Connection, left: boolean): void {
    if (this.#state.is !== 'connected' || this.#state.by !== from) return;
    if (left) {
      this.#leave(LeaveReason.LEFT);
      return;
    }
    this.#state = { is: 'disconnected', graceTimer: setTimeout(() => this.#expire(), this.#options.graceMs) };
    this.peer.isConnected = false;
    this.room.happened({ case: 'peerDisconnected', value: { peerId: this.peer.id } });
  }

  /** The peer is out of the room, which has told it why. */
  end(comeBack: boolean): void {
    const state = this.#state;
    if (state.is === 'ended') return;
    this.#state = { is: 'ended' };
    if (state.is === 'connected') state.by.end(comeBack);
    else clearTimeout(state.graceTimer);
    this.#options.onEnded(this);
  }

  #expire(): void {
    this.#options.onExpired(this);
    this.#leave(LeaveReason.LOST);
  }

  #leave(reason: LeaveReason): void {
    this.end(false);
    this.room.leave(this.peer, reason);
  }

  /** Without a socket nothing is told: the snapshot of a resumed session says how everything stands. */
  #notify<N extends Notification>(method: N, data: NotificationData<N>): void {
    if (this.#state.is === 'connected') this.#state.by.notify(method, data);
  }
}
