import { setTimeout as delay } from 'node:timers/promises';
import { inspect } from 'node:util';

/** Longer than anything takes on a busy machine, and shorter than the runner's own limit for a test. */
const DEADLINE_MS = 120_000;
const INTERVAL_MS = 20;

/**
 * Waits until a condition holds.
 *
 * @param what the condition in words, for the error: "waited 120 s until ...".
 * @param seen returns the last state, which the error shows.
 * @throws Error after two minutes, or what `holds` throws.
 */
export async function waitUntil(
  what: string,
  holds: () => boolean | Promise<boolean>,
  seen?: () => unknown,
): Promise<void> {
  await waitForValue(what, async () => (await holds()) || undefined, seen);
}

/**
 * Waits until there is a value.
 *
 * @param what the condition in words, for the error: "waited 120 s until ...".
 * @param find returns undefined while there is no value.
 * @param seen returns the last state, which the error shows.
 * @throws Error after two minutes, or what `find` throws.
 */
export async function waitForValue<T>(
  what: string,
  find: () => T | undefined | Promise<T | undefined>,
  seen: () => unknown = () => undefined,
): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(
      new Error(
        `waited ${DEADLINE_MS / 1000} s until ${what}; last seen: ${inspect(seen(), { breakLength: Number.POSITIVE_INFINITY })}`,
      ),
    );
  }, DEADLINE_MS);
  try {
    // biome-ignore lint/plugin: this is the loop that all waits share, and it has the deadline
    for (;;) {
      // The question itself may hang: a page or a server that does not answer.
      const value = await Promise.race([find(), late.promise]);
      if (value !== undefined) return value;
      await delay(INTERVAL_MS);
    }
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Waits until an attempt succeeds.
 *
 * @param what the condition in words, for the error: "waited 120 s until ...".
 * @throws Error after two minutes, which shows the last failure.
 */
export async function waitForSuccess<T>(what: string, attempt: () => Promise<T>): Promise<T> {
  let failure: unknown;
  const find = () =>
    attempt().then(
      (value) => ({ value }),
      (error: unknown) => {
        failure = error;
        return undefined;
      },
    );
  return (await waitForValue(what, find, () => String(failure))).value;
}
