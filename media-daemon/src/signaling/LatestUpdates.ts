import type { NotificationData } from '@mediasoup-server/proto/signaling';

type Update = NotificationData<'peerUpdated'>;

/** The last `peerUpdated` of each peer that a slow reader has not been sent yet. Older ones are dropped. */
export class LatestUpdates {
  readonly #byPeerId = new Map<string, Update>();

  keep(update: Update): void {
    this.#byPeerId.set(update.peerId, update);
  }

  /** Forgets a peer that left, so that no update follows its `peerLeft`. */
  forget(peerId: string): void {
    this.#byPeerId.delete(peerId);
  }

  /** Removes and returns the update that has waited longest. */
  take(): Update | undefined {
    for (const [peerId, update] of this.#byPeerId) {
      this.#byPeerId.delete(peerId);
      return update;
    }
    return undefined;
  }

  clear(): void {
    this.#byPeerId.clear();
  }
}
