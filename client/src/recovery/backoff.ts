/** The longest wait between two attempts, ms: short enough that people do not reach for the reload button. */
const LONGEST_MS = 8_000;
const FIRST_MS = 250;

/**
 * How long to wait before an attempt to rejoin: capped exponential backoff, of which half is jitter. The first attempt
 * is made within 100 ms, since most losses are over at once, yet not by a whole room in the same millisecond.
 *
 * @param attempt 1 for the first
 * @param random a number in [0, 1)
 */
export function backoffMs(attempt: number, random: number = Math.random()): number {
  if (attempt <= 1) return random * 100;
  const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** (attempt - 1));
  return full / 2 + (random * full) / 2;
}

/**
 * How long after an attempt began the next one does, ms. Where attempts overlap that is 1 to 2 s, however long the outage
 * lasts: soon enough for people, and spread enough for a service that returns to all its peers at once.
 */
export function paceMs(attempt: number, overlaps: boolean, random: number = Math.random()): number {
  return overlaps && attempt > 1 ? 1_000 + random * 1_000 : backoffMs(attempt, random);
}
