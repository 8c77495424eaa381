import type { types } from 'mediasoup';

/**
 * Whom commands have muted in a room: what such a peer sends of the kind stays paused, whether it closes what was paused
 * and sends it anew, or leaves and comes back.
 */
export class Mutes {
  /** By peer and kind, who did it. */
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

  /** Who muted a peer's sound or picture; undefined where nobody did. */
  by(peerId: string, kind: types.MediaKind): string | undefined {
    return this.#by.get(peerId)?.get(kind);
  }
}
