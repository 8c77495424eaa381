/** The load of a worker. */
export type Load = {
  /** Seconds of CPU time a second. */
  readonly cpu: number;
  readonly consumers: number;
};

/** The load from which on a worker gets nothing more while another worker can take it. */
export type SaturationLimits = {
  /** Seconds of CPU time a second: a worker is one thread, so that 1 is all there is. */
  readonly cpu: number;
  /** With 0 every worker is saturated, so that rooms spread over all of them. */
  readonly consumers: number;
};

/** A saturated worker is relieved when its load falls below this share of the limits. */
const RELIEVED_SHARE = 0.75;

/** The worse of both loads as a share of its limit; at 1 the worker is saturated. */
export const loadRatio = ({ cpu, consumers }: Load, limits: SaturationLimits): number =>
  Math.max(cpu / limits.cpu, consumers / Math.max(limits.consumers, 1));

/**
 * Whether a worker should get nothing more.
 *
 * @param was whether it was before: so a worker at its limit does not change its state with every consumer.
 */
export function isSaturated(was: boolean, load: Load, limits: SaturationLimits): boolean {
  if (limits.consumers === 0) return true;
  return loadRatio(load, limits) >= (was ? RELIEVED_SHARE : 1);
}
