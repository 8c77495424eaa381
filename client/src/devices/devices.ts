/** The devices that a page may offer for choice. Labels are empty until the page was once allowed to use one. */
export interface Devices {
  readonly microphones: readonly MediaDeviceInfo[];
  readonly cameras: readonly MediaDeviceInfo[];
  /** Where sound can be played; empty where the browser leaves that to the system. */
  readonly speakers: readonly MediaDeviceInfo[];
}

/** Whether the page is at an address where browsers give out devices: https or localhost. */
export function hasDevices(): boolean {
  return (navigator.mediaDevices as MediaDevices | undefined) !== undefined;
}

export async function listDevices(): Promise<Devices> {
  const all = hasDevices() ? await navigator.mediaDevices.enumerateDevices() : [];
  const of = (kind: MediaDeviceKind): MediaDeviceInfo[] =>
    all.filter((device) => device.kind === kind && device.deviceId !== '');
  return { microphones: of('audioinput'), cameras: of('videoinput'), speakers: of('audiooutput') };
}

/** Tells the devices now and whenever one is plugged in or out. Returns the function that stops. */
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
 * Opens a microphone or a camera, fit for calls, to be published or to replace the track of another.
 *
 * @param deviceId of a device, which is the only one that will do; without it the browser chooses
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
