/** A worker that may take a peer who joins a room. */
export type Candidate = {
  readonly saturated: boolean;
  /** How near it is to its limits; at 1 it is saturated. */
  readonly load: number;
  /** Whether the room has a router there already. */
  readonly hasRouter: boolean;
  /** The room's peers there. */
  readonly peers: number;
};

/** Loads that differ by less count as equal, so that background work does not decide. */
const LOAD_STEP = 0.1;

/**
 * Chooses the worker of the next peer of a room. A room stays on its workers while one of them is not saturated, since each
 * further worker costs pipes. Then it takes another one; when all are saturated, the least loaded. Equally loaded workers
 * share the peers.
 */
export function chooseWorker<C extends Candidate>(candidates: readonly C[]): C | undefined {
  return [...candidates].sort(
    (a, b) =>
      rank(a) - rank(b) ||
      Math.round(a.load / LOAD_STEP) - Math.round(b.load / LOAD_STEP) ||
      a.peers - b.peers ||
      Number(b.hasRouter) - Number(a.hasRouter),
  )[0];
}

const rank = ({ saturated, hasRouter }: Candidate): number => (saturated ? 2 : hasRouter ? 0 : 1);
