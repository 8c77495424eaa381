/** The devices that a page can offer. Their labels are empty until the page was allowed to use one. */
export interface Devices {
  readonly microphones: readonly MediaDeviceInfo[];
  readonly cameras: readonly MediaDeviceInfo[];
  /** Empty in browsers that leave the choice of a speaker to the system. */
  readonly speakers: readonly MediaDeviceInfo[];
}

/** Whether the page may use devices: browsers require https or localhost. */
export function hasDevices(): boolean {
  return (navigator.mediaDevices as MediaDevices | undefined) !== undefined;
}

export async function listDevices(): Promise<Devices> {
  const all = hasDevices() ? await navigator.mediaDevices.enumerateDevices() : [];
  const of = (kind: MediaDeviceKind): MediaDeviceInfo[] =>
    all.filter((device) => device.kind === kind && device.deviceId !== '');
  return { microphones: of('audioinput'), cameras: of('videoinput'), speakers: of('audiooutput') };
}

/** Calls a listener with the devices, now and whenever they change. Returns a function that stops. */
export function watchDevices(listener: (devices: Devices) => void): () => void {
  let watching = true;
  const tell = (): void => {
    listDevices().then((devices) => {
      if (watching) listener(devices);
    }, reportError);
  };
  tell();
  if (hasDevices()) navigator.mediaDevices.addEventListener('devicechange', tell);
  return () => {
    watching = false;
    if (hasDevices()) navigator.mediaDevices.removeEventListener('devicechange', tell);
  };
}

/**
 * Opens a microphone or a camera with settings for calls.
 *
 * @param deviceId the device to open; without it the browser chooses
 * @throws {DOMException} as `getUserMedia` does: NotAllowedError, NotFoundError, ...
 */
export async function openDevice(kind: 'microphone' | 'camera', deviceId?: string): Promise<MediaStreamTrack> {
  const device = deviceId === undefined ? {} : { deviceId: { exact: deviceId } };
  const stream = await navigator.mediaDevices.getUserMedia(
    kind === 'microphone'
      ? { audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true, ...device } }
      : { video: { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 }, ...device } },
  );
  const [track] = stream.getTracks();
  if (!track) throw new DOMException(`the browser opened no ${kind}`, 'NotFoundError');
  return track;
}
