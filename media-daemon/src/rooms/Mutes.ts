import type { types } from 'mediasoup';

/**
 * The peers that backends have muted, by kind. A muted peer's producers of the kind start paused, also after the peer
 * closes its producer and produces again, or leaves and joins again.
 */
export class Mutes {
  /** Who muted it, by peer and kind. */
  readonly #by = new Map<string, Map<types.MediaKind, string>>();

  add(peerId: string, kind: types.MediaKind, by: string): void {
    const kinds = this.#by.get(peerId) ?? new Map<types.MediaKind, string>();
    this.#by.set(peerId, kinds.set(kind, by));
  }

  remove(peerId: string, kind: types.MediaKind): void {
    const kinds = this.#by.get(peerId);
    kinds?.delete(kind);
    if (kinds?.size === 0) this.#by.delete(peerId);
  }

  /** Who muted a peer's audio or video; undefined when nobody did. */
  by(peerId: string, kind: types.MediaKind): string | undefined {
    return this.#by.get(peerId)?.get(kind);
  }
}
