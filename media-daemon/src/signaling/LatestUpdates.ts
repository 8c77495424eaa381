import type { NotificationData } from '@mediasoup-server/proto/signaling';

type Update = NotificationData<'peerUpdated'>;

/** The last `peerUpdated` of each peer that a slow reader has not been sent yet: older ones are left out. */
export class LatestUpdates {
  readonly #byPeerId = new Map<string, Update>();

  keep(update: Update): void {
    this.#byPeerId.set(update.peerId, update);
  }

  /** Forgets a peer that has left: an update after `peerLeft` would be of nobody. */
  forget(peerId: string): void {
    this.#byPeerId.delete(peerId);
  }

  /** Takes out the one of the peer that has waited longest. */
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
