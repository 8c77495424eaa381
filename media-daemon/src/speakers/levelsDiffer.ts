import type { Level } from './Voices.ts';

/** The least difference that counts, dB: half or twice the amplitude. */
const STEP_DB = 6;

/** Whether other producers are audible than before, or one of them is clearly louder or quieter. */
export const levelsDiffer = (before: readonly Level[], now: readonly Level[]): boolean =>
  now.length !== before.length ||
  now.some(({ producer, volume }) => {
    const known = before.find((level) => level.producer === producer);
    return !known || Math.abs(volume - known.volume) >= STEP_DB;
  });
