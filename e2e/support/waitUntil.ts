import { setTimeout as delay } from 'node:timers/promises';

const DEADLINE_MS = 120_000;
const INTERVAL_MS = 20;

/**
 * Waits until a condition holds.
 *
 * @param what the condition in words, for the error.
 * @param holds the condition.
 * @param seen what the error shows beside it: the last state that was seen.
 * @throws Error after two minutes.
 */
export async function waitUntil(
  what: string,
  holds: () => boolean | Promise<boolean>,
  seen: () => unknown = () => undefined,
): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  while (!(await holds())) {
    if (Date.now() > deadline) {
      throw new Error(`waited ${DEADLINE_MS / 1000} s until ${what}; last seen: ${JSON.stringify(seen())}`);
    }
    await delay(INTERVAL_MS);
  }
}
