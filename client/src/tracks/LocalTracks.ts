import { RoomError } from '../errors.ts';
import { TypedEmitter } from '../events.ts';
import { LocalTrack, type PublishOptions, type UnpublishCause } from '../LocalTrack.ts';
import type { Attachments } from '../recovery/Attachments.ts';
import { backoffMs } from '../recovery/backoff.ts';
import type { Session } from '../session/Session.ts';

export interface LocalTracksEvents {
  published: [track: LocalTrack];
  unpublished: [track: LocalTrack, cause: UnpublishCause];
  changed: [track: LocalTrack];
}

/** The tracks that this peer publishes, in each of its sessions. */
export class LocalTracks extends TypedEmitter<LocalTracksEvents> {
  readonly #attachments: Attachments;
  readonly #tracks = new Set<LocalTrack>();

  constructor(attachments: Attachments) {
    super();
    this.#attachments = attachments;
  }

  get all(): readonly LocalTrack[] {
    return [...this.#tracks];
  }

  /** @throws {RoomError} if the server refuses it */
  async publish(track: MediaStreamTrack, options: PublishOptions): Promise<LocalTrack> {
    const attachments = this.#attachments;
    const local = new LocalTrack(track, options, {
      muteChanged: (changed) => attachments.everywhere(({ producers }) => producers.setPaused(changed)),
      trackReplaced: (changed) => attachments.everywhere(({ producers }) => producers.replaceTrack(changed)),
      changed: (changed) => this.emit('changed', changed),
      closed: (closed, cause) => {
        if (this.#tracks.delete(closed)) this.emit('unpublished', closed, cause);
        return attachments.everywhere(({ producers }) => producers.close(closed));
      },
    });
    this.#tracks.add(local);
    this.emit('published', local);
    try {
      await attachments.everywhere(({ producers }) => producers.produce(local));
    } catch (error) {
      await local.end('refused');
      throw RoomError.from(error);
    }
    return local;
  }

  /** Publishes all tracks in a new session. */
  add(session: Session): void {
    session.on('ownProducerClosed', (local) => void local.end('refused'));
    for (const local of this.#tracks) void this.#publishAgain(local, session);
  }

  close(): void {
    for (const local of this.all) void local.close();
  }

  /** Publishes a track in a new session. Retries temporary errors, because the application did not ask for the session. */
  async #publishAgain(local: LocalTrack, session: Session): Promise<void> {
    for (let attempt = 2; !local.closed && session === this.#attachments.current; attempt++) {
      try {
        return await this.#attachments.at(session, session.producers.produce(local));
      } catch (error) {
        const { status, retryAfterMs = 0 } = RoomError.from(error);
        if (status !== 429 && status !== 503) return local.end('refused');
        await new Promise((resolve) => setTimeout(resolve, Math.max(backoffMs(attempt), retryAfterMs)));
      }
    }
  }
}
