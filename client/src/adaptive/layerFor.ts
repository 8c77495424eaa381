/** How much smaller than it is shown a picture may be before a larger one is asked for. */
const TOLERANCE = 0.8;

/**
 * The least layer that looks well at the size at which a picture is shown. Each layer is half as large as the next.
 *
 * @param shown the picture's height on the screen, in the screen's own pixels
 * @param full the height of the largest layer
 * @param count how many layers there are
 */
export function layerFor(shown: number, full: number, count: number): number {
  for (let layer = 0; layer < count - 1; layer++) {
    if (full / 2 ** (count - 1 - layer) >= shown * TOLERANCE) return layer;
  }
  return count - 1;
}
