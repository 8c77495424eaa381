import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gridLayout } from './gridLayout.ts';

const AREAS = [
  { width: 1280, height: 640 },
  { width: 320, height: 480 },
  { width: 800, height: 300 },
];

test('`gridLayout` has a place for every tile and never overflows the width', () => {
  for (const { width, height } of AREAS) {
    for (let count = 1; count <= 60; count++) {
      const { columns, rows, tileWidth } = gridLayout(count, width, height, 12);
      assert.ok(columns * rows >= count, `${count} tiles`);
      assert.ok(columns * (rows - 1) < count, `${count} tiles: an empty row`);
      assert.ok(columns * tileWidth + (columns - 1) * 12 <= width, `${count} tiles in ${width} px`);
    }
  }
});

test('`gridLayout` keeps 16:9 to the pixel', () => {
  for (const { width, height } of AREAS) {
    for (let count = 1; count <= 60; count++) {
      const { tileWidth, tileHeight } = gridLayout(count, width, height);
      assert.ok(Math.abs(tileWidth - (tileHeight * 16) / 9) < 16 / 9 + 1e-9);
    }
  }
});

test('`gridLayout` fits the height as long as tiles are not at their narrowest', () => {
  for (const { width, height } of AREAS) {
    for (let count = 1; count <= 60; count++) {
      const { rows, tileWidth, tileHeight } = gridLayout(count, width, height, 12, 136);
      const total = rows * tileHeight + (rows - 1) * 12;
      if (total > height) assert.ok(gridLayout(count, width, height, 12, 0).tileWidth < 136, `${count}: ${tileWidth}`);
    }
  }
});

test('`gridLayout` puts two people side by side on a desktop and one above the other on a phone', () => {
  assert.equal(gridLayout(2, 1280, 640).columns, 2);
  assert.equal(gridLayout(2, 320, 480).columns, 1);
  assert.equal(gridLayout(6, 300, 440).columns, 2);
});

test('`gridLayout` of an area that is not laid out yet is not negative', () => {
  const { tileWidth, tileHeight } = gridLayout(5, 0, 0);
  assert.ok(tileWidth >= 0 && tileHeight >= 0);
});
