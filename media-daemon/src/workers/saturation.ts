/** What a worker carries. */
export type Load = {
  /** Seconds of CPU time a second. */
  readonly cpu: number;
  readonly consumers: number;
};

/** From which load on a worker is given nothing more, where another one can have it. */
export type SaturationLimits = {
  /** Seconds of CPU time a second: a worker is one thread, so that 1 is all there is. */
  readonly cpu: number;
  /** 0 has every worker saturated, so that rooms spread over all of them. */
  readonly consumers: number;
};

/** A saturated worker is taken for relieved when its load is below this share of the limits. */
const RELIEVED_SHARE = 0.75;

/** The worse of both loads as a share of its limit; at 1 the worker is saturated. */
export const loadRatio = ({ cpu, consumers }: Load, limits: SaturationLimits): number =>
  Math.max(cpu / limits.cpu, consumers / Math.max(limits.consumers, 1));

/**
 * Whether a worker is to be spared.
 *
 * @param was whether it was before: a worker at its limit does not change its state with every consumer.
 */
export function isSaturated(was: boolean, load: Load, limits: SaturationLimits): boolean {
  if (limits.consumers === 0) return true;
  return loadRatio(load, limits) >= (was ? RELIEVED_SHARE : 1);
}
