import type { DeviceKind } from './deviceProblem.ts';

const CONSTRAINTS: Record<DeviceKind, MediaTrackConstraints> = {
  microphone: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
  camera: { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } },
};

/** Whether the page may use devices: `mediaDevices` is missing on plain http. */
export function hasMediaDevices(): boolean {
  return (navigator.mediaDevices as MediaDevices | undefined) !== undefined;
}

/**
 * Opens a camera or a microphone.
 *
 * @param deviceId the preferred device; if it is gone, another one is opened
 */
export async function openDevice(kind: DeviceKind, deviceId: string | undefined): Promise<MediaStreamTrack> {
  const stream = await navigator.mediaDevices.getUserMedia(wish(kind, deviceId));
  return onlyTrack(stream, kind);
}

/** Opens both with one permission prompt; if one fails, both do. */
export async function openBoth(
  deviceIds: Readonly<Record<DeviceKind, string | undefined>>,
): Promise<Record<DeviceKind, MediaStreamTrack>> {
  const stream = await navigator.mediaDevices.getUserMedia({
    ...wish('camera', deviceIds.camera),
    ...wish('microphone', deviceIds.microphone),
  });
  return { camera: onlyTrack(stream, 'camera'), microphone: onlyTrack(stream, 'microphone') };
}

function wish(kind: DeviceKind, deviceId: string | undefined): MediaStreamConstraints {
  const constraints = { ...CONSTRAINTS[kind], ...(deviceId === undefined ? {} : { deviceId: { ideal: deviceId } }) };
  return kind === 'camera' ? { video: constraints } : { audio: constraints };
}

function onlyTrack(stream: MediaStream, kind: DeviceKind): MediaStreamTrack {
  const [track] = kind === 'camera' ? stream.getVideoTracks() : stream.getAudioTracks();
  if (!track) throw new DOMException(`The browser gave no ${kind}`, 'NotFoundError');
  return track;
}
