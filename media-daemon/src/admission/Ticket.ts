import type { Grants } from '../peers/Grants.ts';

/** A peer's right to join, from a token that was verified. */
export type Ticket = {
  readonly grants: Grants;
  /**
   * Checks again what may have changed since, without any cryptography.
   *
   * @throws RequestError 401 when the token is not valid any more, 403 for a peer that was removed.
   */
  check(): void;
};
