/** The shortest freeze that people notice, ms. */
const LEAST_MS = 400;

/**
 * Measures freezes of the remote videos on the page: the time between two decoded frames. Calls the listener after a freeze.
 *
 * @returns a function that stops
 */
export function watchFreezes(onFreeze: (label: string, ms: number) => void): () => void {
  const seen = new WeakMap<HTMLVideoElement, { readonly frames: number; readonly at: number }>();
  let request = requestAnimationFrame(function look(now) {
    const videos = document.querySelectorAll<HTMLVideoElement>('.tile[data-local=false] video:not([hidden])');
    for (const video of videos) {
      const frames = video.getVideoPlaybackQuality().totalVideoFrames;
      const before = seen.get(video);
      if (before?.frames === frames) continue;
      // A video without a first frame is not frozen.
      if (before && before.frames > 0 && now - before.at > LEAST_MS)
        onFreeze(video.ariaLabel ?? 'A video', now - before.at);
      seen.set(video, { frames, at: now });
    }
    request = requestAnimationFrame(look);
  });
  return () => cancelAnimationFrame(request);
}
