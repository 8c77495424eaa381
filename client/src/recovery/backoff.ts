/** The longest wait between two attempts, ms: short enough that people do not reach for the reload button. */
const LONGEST_MS = 8_000;
const FIRST_MS = 250;

/**
 * How long to wait before an attempt to rejoin, ms: capped exponential backoff, half of it jitter. The first attempt is made
 * within 100 ms, because most losses end at once, but not by all peers of a room in the same millisecond.
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
 * How long after the start of an attempt the next one starts, ms. Attempts that overlap start every 1 to 2 s, however long the
 * outage lasts: soon enough for people, and spread enough for a service that all its peers reach again at once.
 */
export function paceMs(attempt: number, overlaps: boolean, random: number = Math.random()): number {
  return overlaps && attempt > 1 ? 1_000 + random * 1_000 : backoffMs(attempt, random);
}
