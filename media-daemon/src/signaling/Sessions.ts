import type { Logger } from '@mediasoup-server/server-kit/logger';
import type { JoinRequest } from '../admission/joinRequest.ts';
import type { Joining } from '../peers/Peer.ts';
import type { Room } from '../rooms/Room.ts';
import type { RoomEvent, RoomPeer } from '../rooms/RoomEvent.ts';
import type { Rooms } from '../rooms/Rooms.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { mayReturn, noticesOf } from './notices.ts';
import { recipientsOf } from './recipients.ts';
import { type Carrier, Session } from './Session.ts';

export type SessionsOptions = {
  /** Milliseconds that the peer of a lost socket stays in its room. */
  readonly resumeGraceMs: number;
  readonly metrics: Metrics;
  readonly logger: Logger;
};

/** The sessions of this daemon, each findable by its id and by its peer. */
export class Sessions {
  readonly #options: SessionsOptions;
  readonly #byId = new Map<string, Session>();
  readonly #byPeer = new Map<RoomPeer, Session>();

  constructor(rooms: Rooms, options: SessionsOptions) {
    this.#options = options;
    rooms.listen((room, event) => this.#onEvent(room, event));
  }

  get size(): number {
    return this.#byId.size;
  }

  /** How many wait for a socket. */
  get disconnected(): number {
    return [...this.#byId.values()].filter((session) => session.isDisconnected).length;
  }

  /** The session of this id, where it is that of the connection's room and peer. */
  find(sessionId: string, { roomId, peerId }: JoinRequest): Session | undefined {
    const session = this.#byId.get(sessionId);
    return session?.room.id === roomId && session.peer.id === peerId ? session : undefined;
  }

  /** @throws RequestError when the room does not take the peer. */
  open(room: Room, joining: Omit<Joining, 'inbox'>, by: Carrier): Session {
    const { metrics, logger, resumeGraceMs } = this.#options;
    const ids = { roomId: room.id, peerId: joining.peerId };
    const session = new Session(room, joining, by, {
      graceMs: resumeGraceMs,
      onExpired: () => {
        metrics.sessionEvents.inc({ event: 'expired' });
        logger.info(ids, 'session expired');
      },
      onEnded: () => {
        this.#byId.delete(session.id);
        this.#byPeer.delete(session.peer);
        metrics.sessionEvents.inc({ event: 'ended' });
        logger.info(ids, 'peer left');
      },
    });
    this.#byId.set(session.id, session);
    this.#byPeer.set(session.peer, session);
    metrics.sessionEvents.inc({ event: 'opened' });
    logger.info(ids, 'peer joined');
    return session;
  }

  #onEvent(room: Room, event: RoomEvent): void {
    for (const { to, method, data } of noticesOf(event))
      for (const peer of recipientsOf(to, room)) this.#byPeer.get(peer)?.notify(method, data);
    if (event.kind === 'peerLeft') this.#byPeer.get(event.peer)?.end(mayReturn(event.leave));
  }
}
