export interface GridLayout {
  readonly columns: number;
  readonly rows: number;
  /** CSS pixels, of the shape 16:9. */
  readonly tileWidth: number;
  readonly tileHeight: number;
}

const ASPECT = 16 / 9;

/**
 * The grid in which `count` tiles of 16:9 are as large as they can be in an area of `width` by `height` pixels. Tiles do
 * not get narrower than `minTileWidth`, unless the area is: the grid is then higher than the area, which scrolls.
 */
export function gridLayout(count: number, width: number, height: number, gap = 12, minTileWidth = 136): GridLayout {
  const tiles = Math.max(1, Math.floor(count));
  let best: GridLayout = { columns: 1, rows: tiles, tileWidth: 0, tileHeight: 0 };
  for (let columns = 1; columns <= tiles; columns++) {
    const rows = Math.ceil(tiles / columns);
    const fitWidth = (width - gap * (columns - 1)) / columns;
    const fitHeight = (height - gap * (rows - 1)) / rows;
    const tileWidth = Math.min(fitWidth, fitHeight * ASPECT);
    if (tileWidth > best.tileWidth) best = grid(columns, rows, tileWidth);
  }
  if (best.tileWidth >= minTileWidth) return best;
  const columns = Math.min(tiles, Math.max(1, Math.floor((width + gap) / (minTileWidth + gap))));
  const tileWidth = Math.max(0, (width - gap * (columns - 1)) / columns);
  return grid(columns, Math.ceil(tiles / columns), tileWidth);
}

function grid(columns: number, rows: number, tileWidth: number): GridLayout {
  const whole = Math.floor(tileWidth);
  return { columns, rows, tileWidth: whole, tileHeight: Math.floor(whole / ASPECT) };
}
