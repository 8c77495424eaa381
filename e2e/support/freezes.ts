import type { Page } from 'playwright-core';
import { waitForPage } from './browser.ts';

/** In the page: the time of the last decoded frame of each person, and the longest gap between two, in ms. */
interface Watched {
  readonly last: Map<string, number>;
  readonly longest: Map<string, number>;
}

/** Measures from now on how long each other person's video stands still on the page. */
export async function watchFreezes(page: Page): Promise<void> {
  await page.evaluate(() => {
    const watched: Watched = { last: new Map(), longest: new Map() };
    const frames = new WeakMap<HTMLVideoElement, number>();
    (window as unknown as { freezes: Watched }).freezes = watched;
    setInterval(() => {
      for (const tile of document.querySelectorAll('[data-testid=tile][data-local=false][data-source=camera]')) {
        const video = tile.querySelector('video');
        const name = tile.querySelector('.name')?.textContent ?? '';
        if (!video) continue;
        const { totalVideoFrames: now } = video.getVideoPlaybackQuality();
        const before = frames.get(video);
        frames.set(video, now);
        if (now === 0 || now === before) continue;
        const at = performance.now();
        const gap = at - (watched.last.get(name) ?? at);
        watched.last.set(name, at);
        watched.longest.set(name, Math.max(gap, watched.longest.get(name) ?? 0));
      }
    }, 10);
  });
}

/** The longest time that each person's video stood still since the last call, in ms. */
export async function longestFreezes(page: Page): Promise<Record<string, number>> {
  const longest = await page.evaluate(() => {
    const { freezes } = window as unknown as { freezes: Watched };
    const found = Object.fromEntries(freezes.longest);
    freezes.longest.clear();
    return found;
  });
  return Object.fromEntries(Object.entries(longest).map(([name, ms]) => [name, Math.round(ms)]));
}

/** What a page shows and plays: decoded frames by the person's name, and sound energy by the stream's id. */
interface Received {
  readonly frames: Record<string, number>;
  readonly energies: Record<string, number>;
}

/** Waits until, from now on, each of the others is seen to move and as many are heard. */
export async function meets(page: Page, others: readonly string[]): Promise<void> {
  const start = await page.evaluate(received);
  let last = start;
  /** How many times a person was seen to move. */
  const moves = new Map(others.map((name) => [name, 0]));
  const isMet = (now: Received) => {
    for (const [name, count] of moves) {
      if ((now.frames[name] ?? 0) > (last.frames[name] ?? 0)) moves.set(name, count + 1);
    }
    last = now;
    const heard = Object.entries(now.energies).filter(([id, energy]) => energy > (start.energies[id] ?? 0) + 1e-5);
    return heard.length >= others.length && [...moves.values()].every((count) => count > 5);
  };
  await waitForPage(page, `${others.join(' and ')} are seen and heard`, received, undefined, isMet);
}

async function received(): Promise<Received> {
  const { room } = window as unknown as { room?: { getStatsReports(): Promise<RTCStatsReport[]> } };
  const energies: Record<string, number> = {};
  // A page that was just loaded has not joined yet.
  for (const report of (await room?.getStatsReports()) ?? []) {
    for (const stats of report.values()) {
      if (stats.type === 'inbound-rtp' && stats.kind === 'audio') energies[stats.id] = stats.totalAudioEnergy;
    }
  }
  const frames: Record<string, number> = {};
  for (const tile of document.querySelectorAll('[data-testid=tile][data-local=false][data-source=camera]')) {
    const name = tile.querySelector('.name')?.textContent ?? '';
    frames[name] = tile.querySelector('video')?.getVideoPlaybackQuality().totalVideoFrames ?? 0;
  }
  return { frames, energies };
}
