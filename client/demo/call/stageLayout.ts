/** The position and size of a picture on the stage, in CSS pixels. */
export interface Place {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export interface StageLayout {
  readonly places: readonly Place[];
  /** Larger than the stage if it has to scroll. */
  readonly height: number;
  readonly width: number;
}

const ASPECT = 16 / 9;
const GAP = 10;
/** The least width at which a face is recognized and a name fits. */
const LEAST_WIDTH = 136;

/**
 * The largest 16:9 tiles for `count` pictures in an area of `width` by `height`. They are at least as wide as the least width or
 * the area, so that the grid may be higher than the area. The last row is centred.
 */
export function gridLayout(count: number, width: number, height: number): StageLayout {
  let columns = 1;
  let best = 0;
  for (let tried = 1; tried <= count; tried++) {
    const rows = Math.ceil(count / tried);
    const fit = Math.min((width - GAP * (tried - 1)) / tried, ((height - GAP * (rows - 1)) / rows) * ASPECT);
    if (fit > best) [best, columns] = [fit, tried];
  }
  if (best < LEAST_WIDTH) {
    columns = Math.min(count, Math.max(1, Math.floor((width + GAP) / (LEAST_WIDTH + GAP))));
    best = Math.max(0, (width - GAP * (columns - 1)) / columns);
  }
  const tileWidth = Math.floor(best);
  const tileHeight = Math.floor(tileWidth / ASPECT);
  const rows = Math.ceil(count / columns);
  const used = rows * tileHeight + (rows - 1) * GAP;
  const places = Array.from({ length: count }, (_, index) => {
    const row = Math.floor(index / columns);
    const inRow = row === rows - 1 ? count - row * columns : columns;
    const indent = (width - inRow * tileWidth - (inRow - 1) * GAP) / 2;
    return {
      left: Math.round(indent + (index % columns) * (tileWidth + GAP)),
      top: Math.round(Math.max(0, (height - used) / 2) + row * (tileHeight + GAP)),
      width: tileWidth,
      height: tileHeight,
    };
  });
  return { places, width, height: Math.max(height, used) };
}

/**
 * One large picture and the others in a strip: to its right if the area is wide, else below. The stage scrolls along a strip
 * that is too long.
 *
 * @param main the index of the large picture
 */
export function speakerLayout(count: number, main: number, width: number, height: number): StageLayout {
  if (count <= 1) return { places: count === 1 ? [{ left: 0, top: 0, width, height }] : [], width, height };
  const beside = width > height * 1.2;
  const stripWidth = Math.floor(beside ? Math.min(240, width * 0.22) : Math.min(LEAST_WIDTH, width * 0.38));
  const stripHeight = Math.floor(stripWidth / ASPECT);
  const large = beside
    ? { left: 0, top: 0, width: width - stripWidth - GAP, height }
    : { left: 0, top: 0, width, height: height - stripHeight - GAP };
  const step = (beside ? stripHeight : stripWidth) + GAP;
  const strip = (count - 1) * step - GAP;
  const begin = Math.max(0, ((beside ? height : width) - strip) / 2);
  let before = 0;
  const places = Array.from({ length: count }, (_, index): Place => {
    if (index === main) return large;
    const along = Math.round(begin + step * before++);
    return beside
      ? { left: width - stripWidth, top: along, width: stripWidth, height: stripHeight }
      : { left: along, top: height - stripHeight, width: stripWidth, height: stripHeight };
  });
  return beside
    ? { places, width, height: Math.max(height, strip) }
    : { places, width: Math.max(width, strip), height };
}
