import assert from 'node:assert/strict';
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { keepPicture } from './browser.ts';

const LOOKS = [
  { colorScheme: 'light', width: 1280, height: 800 },
  { colorScheme: 'dark', width: 320, height: 640 },
  { colorScheme: 'dark', width: 1920, height: 1080 },
] as const;

/**
 * Checks a page, light and dark, from a small phone to a large screen, against axe's rules, and that
 * nothing is cut off at the side. Saves a screenshot of each.
 */
export async function assertLooksRight(page: Page, name: string): Promise<void> {
  const wrong: string[] = [];
  for (const { colorScheme, width, height } of LOOKS) {
    const look = `${name}-${colorScheme}-${width}`;
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.setViewportSize({ width, height });
    // Two frames, because the page changes its layout after it was measured.
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
    await keepPicture(page, look);
    const cutOff = await page.evaluate(cutOffElements);
    wrong.push(...cutOff.map((element) => `${look}: ${element} is cut off at the side`));
    if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe.source);
    const violations = await page.evaluate(async () => {
      const { axe: checker } = window as unknown as { axe: typeof axe };
      return (await checker.run({ resultTypes: ['violations'] })).violations.flatMap(({ id, help, nodes }) =>
        nodes.map(({ html, failureSummary }) => `${id}: ${help}\n  ${html.slice(0, 200)}\n  ${failureSummary}`),
      );
    });
    wrong.push(...violations.map((violation) => `${look}: ${violation}`));
  }
  assert.deepEqual(wrong, []);
}

/** The controls and texts that are not entirely within the page's width. */
function cutOffElements(): string[] {
  const shown = document.querySelectorAll<HTMLElement>('button, input, select, h1, h2, [role=status], figure');
  const cutOff = [...shown].filter((element) => {
    const { left, right, width } = element.getBoundingClientRect();
    // The strip of the speaker view scrolls by itself.
    return width > 0 && !element.closest('.stage') && (left < -1 || right > innerWidth + 1);
  });
  if (document.documentElement.scrollWidth > innerWidth) cutOff.push(document.documentElement);
  return cutOff.map((element) => element.outerHTML.slice(0, 120));
}
