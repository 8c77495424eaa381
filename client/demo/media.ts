import { type MediaProblem, mediaProblem } from './messages.ts';

export interface Wanted {
  readonly microphone: boolean;
  readonly camera: boolean;
}

export interface LocalMedia {
  readonly microphone?: MediaStreamTrack;
  readonly camera?: MediaStreamTrack;
  /** What of the wanted could not be had, and why. */
  readonly problem?: { readonly cause: MediaProblem; readonly what: string };
}

const AUDIO: MediaTrackConstraints = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
const VIDEO: MediaTrackConstraints = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };

/** Whether the page is at an address where browsers give out cameras: `mediaDevices` is missing on plain http. */
export function hasMediaDevices(): boolean {
  return (navigator.mediaDevices as MediaDevices | undefined) !== undefined;
}

export function canShareScreen(): boolean {
  return hasMediaDevices() && typeof navigator.mediaDevices.getDisplayMedia === 'function';
}

/** Opens what is wanted, or as much of it as there is; never rejects. */
export async function openMedia(wanted: Wanted): Promise<LocalMedia> {
  if (!wanted.microphone && !wanted.camera) return {};
  const what = [wanted.camera && 'camera', wanted.microphone && 'microphone'].filter(Boolean).join(' and ');
  if (!hasMediaDevices()) return { problem: { cause: 'insecure', what } };
  try {
    const stream = await navigator.mediaDevices.getUserMedia({
      ...(wanted.microphone ? { audio: AUDIO } : {}),
      ...(wanted.camera ? { video: VIDEO } : {}),
    });
    return tracksOf(stream);
  } catch (error) {
    const cause = mediaProblem((error as Error).name);
    if (!wanted.microphone || !wanted.camera) return { problem: { cause, what } };
    // One of the two may be there: a desktop without a camera, a room with a camera but no microphone.
    const microphone = await openMedia({ microphone: true, camera: false });
    const camera = await openMedia({ microphone: false, camera: true });
    const problems = [camera.problem, microphone.problem].filter((problem) => problem !== undefined);
    const problem = problems.length === 2 ? { cause, what } : problems[0];
    return { ...microphone, ...camera, ...(problem ? { problem } : {}) };
  }
}

/** Asks which screen or window to share; undefined when the person changed their mind. */
export async function openScreen(): Promise<MediaStreamTrack | undefined> {
  try {
    const stream = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { ideal: 15 } } });
    return stream.getVideoTracks()[0];
  } catch (error) {
    if ((error as Error).name === 'NotAllowedError') return undefined;
    throw error;
  }
}

export function stopMedia(media: LocalMedia): void {
  media.microphone?.stop();
  media.camera?.stop();
}

function tracksOf(stream: MediaStream): LocalMedia {
  const [microphone] = stream.getAudioTracks();
  const [camera] = stream.getVideoTracks();
  return { ...(microphone ? { microphone } : {}), ...(camera ? { camera } : {}) };
}
