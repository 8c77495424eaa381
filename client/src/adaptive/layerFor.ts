/** The smallest height of a received picture as a share of the height at which it is shown. */
const TOLERANCE = 0.8;

/**
 * The smallest layer that looks good at the size at which a picture is shown. Each layer is half as large as the next.
 *
 * @param shown the picture's height on the screen in device pixels
 * @param full the height of the largest layer
 * @param count the number of layers
 */
export function layerFor(shown: number, full: number, count: number): number {
  for (let layer = 0; layer < count - 1; layer++) {
    if (full / 2 ** (count - 1 - layer) >= shown * TOLERANCE) return layer;
  }
  return count - 1;
}
