import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gridLayout, type Place, type StageLayout, speakerLayout } from './stageLayout.ts';

const AREAS = [
  { width: 1280, height: 640 },
  { width: 320, height: 480 },
  { width: 800, height: 300 },
];

function* everyGrid(): Generator<StageLayout & { count: number; area: { width: number; height: number } }> {
  for (const area of AREAS)
    for (let count = 1; count <= 60; count++) yield { ...gridLayout(count, area.width, area.height), count, area };
}

const overlap = (a: Place, b: Place) =>
  a.left < b.left + b.width && b.left < a.left + a.width && a.top < b.top + b.height && b.top < a.top + a.height;

function assertInside({ places, width, height }: StageLayout, what: string): void {
  for (const [index, place] of places.entries()) {
    assert.ok(place.left >= 0 && place.left + place.width <= width, `${what}: ${index} is out at a side`);
    assert.ok(place.top >= 0 && place.top + place.height <= height, `${what}: ${index} is out at top or bottom`);
    for (const other of places.slice(index + 1)) assert.ok(!overlap(place, other), `${what}: ${index} is covered`);
  }
}

test('`gridLayout` has a place for every picture, of 16:9, and none covers another', () => {
  for (const grid of everyGrid()) {
    assert.equal(grid.places.length, grid.count);
    assertInside(grid, `${grid.count} in ${grid.area.width}x${grid.area.height}`);
    for (const { width, height } of grid.places) assert.ok(Math.abs(width - (height * 16) / 9) < 16 / 9 + 1e-9);
  }
});

test('`gridLayout` never overflows the width, and the height only when pictures are at their narrowest', () => {
  for (const { area, width, height, count, places } of everyGrid()) {
    assert.equal(width, area.width);
    const [first] = places;
    if (height > area.height) assert.ok(first && first.width < 280, `${count}: ${first?.width} px wide`);
  }
});

test('`gridLayout` puts two people side by side on a desktop and one above the other on a phone', () => {
  const [a, b] = gridLayout(2, 1280, 640).places;
  assert.equal(a?.top, b?.top);
  const [c, d] = gridLayout(2, 320, 480).places;
  assert.equal(c?.left, d?.left);
});

test('`gridLayout` of an area that is not laid out yet is not negative', () => {
  for (const { width, height } of gridLayout(5, 0, 0).places) assert.ok(width >= 0 && height >= 0);
});

test('`speakerLayout` shows one large, and none covers another', () => {
  for (const { width, height } of AREAS) {
    for (let count = 1; count <= 20; count++) {
      const layout = speakerLayout(count, count - 1, width, height);
      assertInside(layout, `${count} in ${width}x${height}`);
      const sizes = layout.places.map((place) => place.width * place.height);
      assert.equal(Math.max(...sizes), sizes[count - 1]);
    }
  }
});
