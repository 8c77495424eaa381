/** How long to wait for the first frame, ms. */
const LONGEST_MS = 3_000;

/** Resolves when a video track has a frame, so that no black picture replaces the last frame of another track. */
export async function firstFrame(track: MediaStreamTrack): Promise<void> {
  if (track.kind !== 'video' || typeof document === 'undefined') return;
  const video = document.createElement('video');
  video.muted = true;
  video.playsInline = true;
  await new Promise<void>((resolve) => {
    setTimeout(resolve, LONGEST_MS);
    video.onloadeddata = () => resolve();
    video.srcObject = new MediaStream([track]);
    // If the browser does not let it play, the timeout above ends the wait.
    video.play().catch(() => {});
  });
  video.srcObject = null;
}
