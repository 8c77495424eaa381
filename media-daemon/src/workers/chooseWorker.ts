/** What is known of a worker when a peer joins a room. */
export type Candidate = {
  readonly saturated: boolean;
  /** How near it is to its limits; at 1 it is saturated. */
  readonly load: number;
  /** Whether the room has a router there already. */
  readonly hasRouter: boolean;
  /** The room's peers there. */
  readonly peers: number;
};

/** Shares that differ less are equal: what a worker does by the way does not decide. */
const LOAD_STEP = 0.1;

/**
 * The worker that carries the next peer of a room. A room stays on the workers that it is on while one of them is not
 * saturated, since each further one costs pipes; then it takes another; when all are saturated the least loaded one of
 * all bears it. Equally loaded ones share the peers.
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
