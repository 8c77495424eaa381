import { RequestError } from '../errors.ts';
import type { Registration } from '../fleet/Registration.ts';
import { ALL_GRANTED, type Grants } from '../peers/Grants.ts';
import type { Room } from '../rooms/Room.ts';
import type { Rooms } from '../rooms/Rooms.ts';
import type { JoinRequest } from './joinRequest.ts';
import type { Ticket } from './Ticket.ts';

/** Why new peers are refused now. */
export type Refusal = {
  readonly code: 'FENCED' | 'DRAINING' | 'NO_CAPACITY';
  readonly reason: string;
  /** The limit that was reached, as the metrics name it. */
  readonly limit?: 'peers';
};

export type AdmissionOptions = {
  readonly rooms: Rooms;
  /** The daemon's place in a fleet, where it has one. */
  readonly registration: Registration | undefined;
  /** `open` lets anybody in without a token. */
  readonly mode: 'open' | 'jwt';
  /** The most peers of this daemon. */
  readonly maxPeers: number;
  readonly peerCount: () => number;
  readonly onLimit: (limit: 'peers') => void;
};

/** Decides who joins the rooms of this daemon. Every way in asks it. */
export class Admission {
  readonly #options: AdmissionOptions;

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /** Why new peers are refused now; undefined while they are admitted. */
  capacity(): Refusal | undefined {
    const { rooms, registration, maxPeers, peerCount } = this.#options;
    if (registration?.isFenced) return { code: 'FENCED', reason: FENCED };
    if (rooms.draining) return { code: 'DRAINING', reason: 'this media daemon is draining' };
    if (peerCount() < maxPeers) return undefined;
    const reason = `this media daemon has ${maxPeers} peers, which is the limit`;
    return { code: 'NO_CAPACITY', reason, limit: 'peers' };
  }

  /**
   * Verifies the token of a request.
   *
   * @throws RequestError 401 for a token that is not valid, 403 for a peer that was removed, 503 before the keys are known.
   */
  async authorize(request: JoinRequest): Promise<Ticket> {
    const { rooms, registration, mode } = this.#options;
    const { roomId, peerId, token } = request;
    if (token !== undefined && registration) return registration.verifyAssignment(request, token);
    if (mode === 'jwt') throw new RequestError('UNAUTHORIZED', 'a token is missing');
    const check = () => rooms.kicks.checkBan(roomId, peerId);
    check();
    return { grants: ALL_GRANTED, check };
  }

  /**
   * What a peer may do if it joins now.
   *
   * @param authorize gives the ticket of the request.
   * @throws RequestError as `authorize`, or 503 when new peers are refused and the peer is not here yet.
   */
  async admit({ roomId, peerId }: JoinRequest, authorize: () => Promise<Ticket>): Promise<Grants> {
    const { rooms, registration, onLimit } = this.#options;
    if (registration?.isFenced) throw new RequestError('FENCED', FENCED);
    const ticket = await authorize();
    ticket.check();
    const refusal = rooms.hasPeer(roomId, peerId) ? undefined : this.capacity();
    if (!refusal) return ticket.grants;
    if (refusal.limit) onLimit(refusal.limit);
    throw new RequestError(refusal.code, refusal.reason);
  }

  /**
   * Finds or creates the room of a request, in agreement with the control plane where there is one.
   *
   * @throws RequestError 409 or 503 when another daemon serves the room, 503 without a worker or while draining.
   */
  async openRoom({ roomId, token }: JoinRequest): Promise<Room> {
    const { rooms, registration } = this.#options;
    await registration?.withdrawClosing(roomId);
    const room = await rooms.getOrCreate(roomId);
    try {
      await registration?.claim(room, token !== undefined);
    } catch (error) {
      room.closeIfUnused();
      throw error;
    }
    return room;
  }
}

const FENCED = 'this media daemon was declared lost and is registering again';
