/*
 * Loaded into a process by a test (`node --import`): sets its clock off by CLOCK_SKEW_MS.
 */
const skew = Number(process.env.CLOCK_SKEW_MS ?? 0);
const RealDate = Date;

globalThis.Date = class extends RealDate {
  constructor(...given: [] | [number | string | Date]) {
    super(...((given.length === 0 ? [RealDate.now() + skew] : given) as [number]));
  }

  static override now(): number {
    return RealDate.now() + skew;
  }
} as DateConstructor;
