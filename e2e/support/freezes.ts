import type { Page } from 'playwright-core';

/** In the page: when a frame of each person's video was decoded last, and the longest time between two, in ms. */
interface Watched {
  readonly last: Map<string, number>;
  readonly longest: Map<string, number>;
}

/** Begins to measure, by decoded frames, how long each other person's video stands still on the page. */
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

/** Waits until, from now on, each of the others is seen to move and as many are heard. */
export async function meets(page: Page, others: readonly string[]): Promise<void> {
  await page.evaluate(async (names) => {
    const page = window as unknown as { room?: { getStatsReports(): Promise<RTCStatsReport[]> } };
    const energies = async () => {
      const found = new Map<string, number>();
      // A page that was just loaded has not joined yet.
      for (const report of (await page.room?.getStatsReports()) ?? []) {
        for (const stats of report.values()) {
          if (stats.type === 'inbound-rtp' && stats.kind === 'audio') found.set(stats.id, stats.totalAudioEnergy);
        }
      }
      return found;
    };
    const frames = (name: string) => {
      const tiles = [...document.querySelectorAll('[data-testid=tile][data-local=false][data-source=camera]')];
      const tile = tiles.find((candidate) => candidate.querySelector('.name')?.textContent === name);
      return tile?.querySelector('video')?.getVideoPlaybackQuality().totalVideoFrames ?? 0;
    };
    const energyBefore = await energies();
    const seen = new Map(names.map((name) => [name, { last: frames(name), count: 0 }]));
    for (;;) {
      for (const [name, sight] of seen) {
        const now = frames(name);
        if (now > sight.last) sight.count++;
        sight.last = now;
      }
      let heard = 0;
      for (const [id, energy] of await energies()) if (energy > (energyBefore.get(id) ?? 0) + 1e-5) heard++;
      if (heard >= names.length && [...seen.values()].every(({ count }) => count > 5)) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }, others);
}
