import { createHash } from 'node:crypto';
import { z } from 'zod';

/** Peers that were assigned within the same time are in one attribute of the daemon's row, ms. */
const SLOT_MS = 15_000;
/** How many slots remember a place: the present one, and as many as a token of 60 s lives. */
const LIVE_SLOTS = 5;
/** Slots are used in turn. Heartbeats empty those that are over, before their turn comes again. */
const SLOTS = 8;

const names = ['places0', 'places1', 'places2', 'places3', 'places4', 'places5', 'places6', 'places7'] as const;
type Slot = (typeof names)[number];
const place = z.set(z.string()).optional();

/** The attributes of a daemon's row that remember who has a place there, by the time when it was given. */
export const placesShape = {
  places0: place,
  places1: place,
  places2: place,
  places3: place,
  places4: place,
  places5: place,
  places6: place,
  places7: place,
};
type Places = { readonly [S in Slot]?: ReadonlySet<string> | undefined };

/** What stands for a peer of a room in these attributes; short, since the row is written with each assignment. */
export const placeOf = (roomId: string, peerId: string): string =>
  createHash('sha256')
    .update(JSON.stringify([roomId, peerId]))
    .digest('base64url')
    .slice(0, 16);

/** The slots that remember places, the present one first. */
export function liveSlots(now: number): [Slot, ...Slot[]] {
  const present = Math.floor(now / SLOT_MS);
  return Array.from({ length: LIVE_SLOTS }, (_, age) => names[(present - age) % SLOTS]) as [Slot, ...Slot[]];
}

/** The slots that are over. */
export function pastSlots(now: number): Slot[] {
  const live = new Set(liveSlots(now));
  return names.filter((name) => !live.has(name));
}

/** Whether a peer has got a place within the life of its token. */
export const hasPlace = (places: Places, of: string, now: number): boolean =>
  liveSlots(now).some((slot) => places[slot]?.has(of));
