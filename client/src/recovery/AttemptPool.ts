import { RoomError } from '../errors.ts';

/** How many attempts run at once at most, so that a slow service does not get ever more requests. */
const MAX_ATTEMPTS = 3;

/** The attempts of one search that run now, and what they found out for each other. */
export class AttemptPool {
  /** Whether the daemon may still have the session. */
  resumable = true;
  /** The daemon that seems dead: the control plane is asked for another one. */
  suspect: string | undefined;
  readonly #closing = new AbortController();
  readonly #attempts: AbortController[] = [];

  get signal(): AbortSignal {
    return this.#closing.signal;
  }

  /** Starts an attempt, and aborts another one where too many run. */
  begin(): AbortController {
    const attempt = new AbortController();
    // The oldest goes on, since the service may only be slow; of the others the latest have the best chance.
    if (this.#attempts.length === MAX_ATTEMPTS) this.#attempts.splice(1, 1)[0]?.abort();
    this.#attempts.push(attempt);
    return attempt;
  }

  /** Ends an attempt. Where it tried two ways at once, the slower one is aborted. */
  end(attempt: AbortController): void {
    const index = this.#attempts.indexOf(attempt);
    if (index >= 0) this.#attempts.splice(index, 1);
    attempt.abort();
  }

  close(): void {
    this.#closing.abort();
    for (const attempt of this.#attempts.splice(0)) attempt.abort();
  }
}

/** Resolves with the first success. Rejects as soon as one fails for good, or when all have failed. */
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
