import type { Method, RequestData, ResponseData, Snapshot } from '@mediasoup-server/proto/signaling';
import { RoomError } from '../errors.ts';
import { protooToRoomError } from '../serverErrors.ts';
import { outcomeOf } from './lostRequest.ts';
import type { Answer, ProtooSocket } from './ProtooSocket.ts';

/** How long an answer may take, ms. */
export const REQUEST_TIMEOUT_MS = 20_000;

interface Pending {
  readonly method: Method;
  readonly data: unknown;
  readonly resolve: (data: unknown) => void;
  readonly reject: (error: RoomError) => void;
  /** Runs while there is a socket that the answer may come over. */
  timer?: ReturnType<typeof setTimeout>;
}

/** The requests of a session that are not answered yet, over one socket after another. */
export class PendingRequests {
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;

  /**
   * Sends a request over a socket; without one it waits for `settle`.
   *
   * @throws {RoomError} as the daemon refuses it, UNAVAILABLE if it does not answer, or the error of `rejectAll`
   */
  add<M extends Method>(socket: ProtooSocket | undefined, method: M, data: RequestData<M>): Promise<ResponseData<M>> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const pending: Pending = { method, data, resolve: resolve as (data: unknown) => void, reject };
      this.#pending.set(id, pending);
      if (socket) this.#send(socket, id, pending);
    });
  }

  answered({ id, data, error }: Answer): void {
    const pending = this.#take(id);
    if (error) pending?.reject(protooToRoomError(error));
    else pending?.resolve(data);
  }

  /** The socket is lost: rejects pings, which were about the socket. Other requests wait until the session is resumed. */
  socketLost(error: RoomError): void {
    for (const [id, { method, timer }] of this.#pending) {
      clearTimeout(timer);
      if (method === 'ping') this.#take(id)?.reject(error);
    }
  }

  /** The session was resumed: answers from the snapshot what was done, and sends the rest again. */
  settle(socket: ProtooSocket, snapshot: Snapshot): void {
    for (const [id, pending] of this.#pending) {
      const outcome = outcomeOf(pending.method, pending.data, snapshot);
      if (outcome.kind === 'done') this.#take(id)?.resolve(outcome.answer);
      else this.#send(socket, id, pending);
    }
  }

  /** Drops the `joinRoom` of a socket that failed. */
  forgetJoin(): void {
    for (const [id, { method }] of this.#pending) if (method === 'joinRoom') this.#take(id);
  }

  rejectAll(error: RoomError): void {
    for (const id of this.#pending.keys()) this.#take(id)?.reject(error);
  }

  #send(socket: ProtooSocket, id: number, pending: Pending): void {
    clearTimeout(pending.timer);
    pending.timer = setTimeout(() => {
      this.#take(id)?.reject(new RoomError('UNAVAILABLE', 'The media server does not answer'));
    }, REQUEST_TIMEOUT_MS);
    socket.send(id, pending.method, pending.data);
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    clearTimeout(pending?.timer);
    return pending;
  }
}
