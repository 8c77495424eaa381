import { createHash } from 'node:crypto';
import { z } from 'zod';

/** Reservations that were made within the same period, ms, share one attribute of the daemon's row: a slot. */
const SLOT_MS = 15_000;
/** How many slots are read: the present one, and as many as a token's life of 60 s covers. */
const LIVE_SLOTS = 5;
/** Slots are used in turn. Heartbeats empty the expired ones before they are used again. */
const SLOTS = 8;

/** The attributes' names are those of rows that older versions have written. */
const names = ['places0', 'places1', 'places2', 'places3', 'places4', 'places5', 'places6', 'places7'] as const;
type Slot = (typeof names)[number];
const slot = z.set(z.string()).optional();

/** The attributes of a daemon's row that hold its reservations, by the time when each was made. */
export const reservationsShape = {
  places0: slot,
  places1: slot,
  places2: slot,
  places3: slot,
  places4: slot,
  places5: slot,
  places6: slot,
  places7: slot,
};
type Slots = { readonly [S in Slot]?: ReadonlySet<string> | undefined };

/** The name of a peer's reservation; short, because every assignment writes the row. */
export const reservationOf = (roomId: string, peerId: string): string =>
  createHash('sha256')
    .update(JSON.stringify([roomId, peerId]))
    .digest('base64url')
    .slice(0, 16);

/** The slots whose reservations count, the present one first. */
export function liveSlots(now: number): [Slot, ...Slot[]] {
  const present = Math.floor(now / SLOT_MS);
  return Array.from({ length: LIVE_SLOTS }, (_, age) => names[(present - age) % SLOTS]) as [Slot, ...Slot[]];
}

/** The slots whose reservations have expired. */
export function expiredSlots(now: number): Slot[] {
  const live = new Set(liveSlots(now));
  return names.filter((name) => !live.has(name));
}

/** Whether the daemon holds a reservation that was made within a token's life. */
export const hasReservation = (slots: Slots, reservation: string, now: number): boolean =>
  liveSlots(now).some((name) => slots[name]?.has(reservation));
