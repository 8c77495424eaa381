/** How long the first frame is waited for, ms: after that whatever comes is shown. */
const LONGEST_MS = 3_000;

/** Resolves when a video track has a frame to show, so that nothing black is shown in place of a last frame. */
export async function firstFrame(track: MediaStreamTrack): Promise<void> {
  if (track.kind !== 'video' || typeof document === 'undefined') return;
  const video = document.createElement('video');
  video.muted = true;
  video.playsInline = true;
  await new Promise<void>((resolve) => {
    setTimeout(resolve, LONGEST_MS);
    video.onloadeddata = () => resolve();
    video.srcObject = new MediaStream([track]);
    // Where playing is not allowed there is no frame to wait for, and the time above ends it.
    video.play().catch(() => {});
  });
  video.srcObject = null;
}
