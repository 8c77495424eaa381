import { RoomError } from '../errors.ts';

/** How many attempts are under way at most: a slow service is not asked ever more. */
const MOST_ATTEMPTS = 3;

/** The search for a place: its attempts, and what they learn for each other. */
export class Search {
  /** Whether the daemon may still have the session. */
  resumable = true;
  /** The daemon that seems dead. */
  suspect: string | undefined;
  readonly #ending = new AbortController();
  readonly #attempts: AbortController[] = [];

  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  begin(): AbortController {
    const attempt = new AbortController();
    // The oldest goes on, since the service may only be slow; of the others the latest have the best chance.
    if (this.#attempts.length === MOST_ATTEMPTS) this.#attempts.splice(1, 1)[0]?.abort();
    this.#attempts.push(attempt);
    return attempt;
  }

  done(attempt: AbortController): void {
    const index = this.#attempts.indexOf(attempt);
    if (index >= 0) this.#attempts.splice(index, 1);
    // Of an attempt that tried two ways at once, the other way is given up.
    attempt.abort();
  }

  end(): void {
    this.#ending.abort();
    for (const attempt of this.#attempts.splice(0)) attempt.abort();
  }
}

/** The first success. Where one fails for good, or all fail, throws why. */
export function firstOf<T>(ways: readonly Promise<T>[]): Promise<T> {
  return new Promise((resolve, reject) => {
    let left = ways.length;
    for (const way of ways) {
      way.then(resolve, (error) => {
        left--;
        if (left === 0 || !RoomError.from(error).retryable) reject(error);
      });
    }
  });
}
