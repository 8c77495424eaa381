import { RoomError } from '../errors.ts';
import { TypedEmitter } from '../events.ts';
import { RemoteTrack, type RemoteTrackOwner } from '../RemoteTrack.ts';
import type { ProducerInfo } from '../session/Roster.ts';
import type { Session } from '../session/Session.ts';
import type { Subscription } from '../session/Subscription.ts';
import { splitTrackKey } from '../session/trackKey.ts';
import { firstFrame } from './firstFrame.ts';

export interface RemoteTracksEvents {
  published: [track: RemoteTrack];
  unpublished: [track: RemoteTrack];
  subscribed: [track: RemoteTrack];
  unsubscribed: [track: RemoteTrack];
  changed: [track: RemoteTrack];
}

/**
 * The tracks of the other peers. A producer that appears in another session belongs to the same track as before: that of the
 * same peer with the same key, or if the sender has no SDK and so no key, of the same kind with the same `appData`.
 */
export class RemoteTracks extends TypedEmitter<RemoteTracksEvents> {
  readonly #owner: RemoteTrackOwner;
  readonly #tracks = new Set<RemoteTrack>();
  /** The tracks of each session by their producer ids. */
  readonly #offers = new Map<Session, Map<string, RemoteTrack>>();
  readonly #keyed = new WeakSet<RemoteTrack>();
  /** Sessions that the room moves from: a track that is closed there may appear in another session. */
  readonly #held = new Set<Session>();

  /**
   * @param autoSubscribe whether to receive all tracks, or those that the application subscribes to
   * @param adaptive whether the elements that show a track choose what is received of it
   */
  constructor({ autoSubscribe, adaptive }: { autoSubscribe: boolean; adaptive: boolean }) {
    super();
    this.#owner = {
      adaptive,
      subscribed: autoSubscribe,
      subscribedChanged: (track) => this.#subscribedChanged(track),
      changed: (track) => this.emit('changed', track),
    };
  }

  get all(): readonly RemoteTrack[] {
    return [...this.#tracks];
  }

  /** Follows the producers of a session. */
  add(session: Session): void {
    this.#offers.set(session, new Map());
    session.roster.on('producerOpened', (producer) => this.#offered(session, producer));
    session.roster.on('producerClosed', (producerId) => this.#withdrawn(session, producerId));
    session.on('subscriptionChanged', (subscription) => {
      for (const track of this.#tracks) if (track.subscription === subscription) this.emit('changed', track);
    });
  }

  /** Keeps tracks whose producers close in this session from now on: they may appear in another one. */
  hold(session: Session): void {
    this.#held.add(session);
  }

  /** The room stays in this session: tracks that are gone are unpublished. */
  release(session: Session): void {
    if (this.#held.delete(session)) this.#unpublishLost();
  }

  /** Whether all tracks are offered by this session, and received from it if they are received at all. */
  hasAll(session: Session): boolean {
    const offered = new Set(this.#offers.get(session)?.values());
    return [...this.#tracks].every(
      (track) => offered.has(track) && (track.subscription === undefined || this.#isFrom(track, session)),
    );
  }

  /** The session is closed: tracks that no other session offers are unpublished. */
  remove(session: Session): void {
    this.#offers.delete(session);
    this.#held.delete(session);
    this.#unpublishLost();
  }

  #offered(session: Session, producer: ProducerInfo): void {
    const { peerId, kind, producerId } = producer;
    const { appData, key } = splitTrackKey(producer.appData);
    let track = this.#find(session, { peerId, kind, appData, trackId: key?.trackId });
    const isNew = track === undefined;
    track ??= new RemoteTrack(
      { id: key?.trackId ?? producerId, peerId, kind, appData, height: key?.height },
      this.#owner,
    );
    if (key) this.#keyed.add(track);
    this.#offers.get(session)?.set(producerId, track);
    if (isNew) {
      this.#tracks.add(track);
      this.emit('published', track);
    }
    if (track.subscribed) void this.#subscribe(track, session, producerId);
  }

  #find(
    session: Session,
    { peerId, kind, appData, trackId }: { peerId: string; kind: string; appData: object; trackId: string | undefined },
  ): RemoteTrack | undefined {
    const offered = new Set(this.#offers.get(session)?.values());
    return [...this.#tracks].find((track) => {
      if (track.peerId !== peerId || track.kind !== kind || offered.has(track)) return false;
      if (trackId !== undefined) return track.id === trackId;
      return !this.#keyed.has(track) && JSON.stringify(track.appData) === JSON.stringify(appData);
    });
  }

  #withdrawn(session: Session, producerId: string): void {
    const offers = this.#offers.get(session);
    const track = offers?.get(producerId);
    offers?.delete(producerId);
    if (!track || this.#isOffered(track)) return;
    if (this.#held.has(session)) this.emit('changed', track);
    else this.#unpublish(track);
  }

  async #subscribe(track: RemoteTrack, session: Session, producerId: string): Promise<void> {
    try {
      const subscription = await session.consumers.subscribe(producerId);
      if (this.#offers.get(session)?.get(producerId) !== track || !track.subscribed) {
        session.consumers.unsubscribe(subscription);
        return;
      }
      const former = track.subscription;
      if (!former) this.#show(track, subscription);
      await track.configure(subscription);
      if (!former) return;
      if (!subscription.muted && !subscription.paused) await firstFrame(subscription.track);
      if (subscription.closed || !track.subscribed || this.#isFromNewer(track, session)) return;
      this.#show(track, subscription);
      for (const other of this.#offers.keys()) other.consumers.unsubscribe(former);
    } catch (error) {
      const reason = RoomError.from(error);
      // The producer or the session is gone, which other events say.
      if (reason.status === 404 || reason.code === 'CONNECTION_LOST' || !this.#tracks.has(track)) return;
      track.fail(reason);
      this.emit('changed', track);
    }
  }

  #subscribedChanged(track: RemoteTrack): void {
    if (!track.subscribed) {
      const { subscription } = track;
      if (!subscription) return;
      track.hide();
      for (const session of this.#offers.keys()) session.consumers.unsubscribe(subscription);
      this.emit('unsubscribed', track);
      return;
    }
    const [session, producerId] = this.#newestOffer(track) ?? [];
    if (session && producerId !== undefined) void this.#subscribe(track, session, producerId);
    this.emit('changed', track);
  }

  #newestOffer(track: RemoteTrack): [Session, string] | undefined {
    for (const [session, offers] of [...this.#offers].reverse()) {
      for (const [producerId, offered] of offers) if (offered === track) return [session, producerId];
    }
    return undefined;
  }

  #show(track: RemoteTrack, subscription: Subscription): void {
    const first = track.subscription === undefined;
    track.show(subscription);
    this.emit(first ? 'subscribed' : 'changed', track);
  }

  #unpublishLost(): void {
    for (const track of [...this.#tracks]) if (!this.#isOffered(track)) this.#unpublish(track);
  }

  #unpublish(track: RemoteTrack): void {
    if (!this.#tracks.delete(track)) return;
    track.end();
    if (track.subscription) this.emit('unsubscribed', track);
    this.emit('unpublished', track);
  }

  #isOffered(track: RemoteTrack): boolean {
    return [...this.#offers.values()].some((offers) => [...offers.values()].includes(track));
  }

  /** Whether the track is already received from a session that is newer than this one. */
  #isFromNewer(track: RemoteTrack, session: Session): boolean {
    const sessions = [...this.#offers.keys()];
    return sessions.slice(sessions.indexOf(session) + 1).some((newer) => this.#isFrom(track, newer));
  }

  #isFrom(track: RemoteTrack, session: Session): boolean {
    const { subscription } = track;
    return subscription !== undefined && session.consumers.find(subscription.id) === subscription;
  }
}
