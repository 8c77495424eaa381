/** A picture that stands still for less is not noticed, ms. */
const LEAST_MS = 400;

/**
 * Watches the others' videos on the page, and tells of each that stood still how long it did, once it moves again: from
 * one decoded frame to the next.
 *
 * @returns the function that ends the watch
 */
export function watchFreezes(onFreeze: (label: string, ms: number) => void): () => void {
  const seen = new WeakMap<HTMLVideoElement, { readonly frames: number; readonly at: number }>();
  let request = requestAnimationFrame(function look(now) {
    const videos = document.querySelectorAll<HTMLVideoElement>('.tile[data-local=false] video:not([hidden])');
    for (const video of videos) {
      const frames = video.getVideoPlaybackQuality().totalVideoFrames;
      const before = seen.get(video);
      if (before?.frames === frames) continue;
      // A video that has not shown anything yet does not stand still.
      if (before && before.frames > 0 && now - before.at > LEAST_MS)
        onFreeze(video.ariaLabel ?? 'A video', now - before.at);
      seen.set(video, { frames, at: now });
    }
    request = requestAnimationFrame(look);
  });
  return () => cancelAnimationFrame(request);
}
