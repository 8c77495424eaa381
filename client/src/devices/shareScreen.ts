import type { LocalTrack } from '../LocalTrack.ts';
import type { Room } from '../Room.ts';

/** A screen, window or tab that this peer shares, with its sound if the browser captures it. */
export interface ScreenShare {
  readonly video: LocalTrack;
  readonly audio: LocalTrack | undefined;
  /** Closes both tracks, as the browser's own button does. */
  stop(): Promise<void>;
}

/**
 * Lets the person choose a screen, and publishes it.
 *
 * @param audio whether to share its sound too
 * @returns undefined if the person cancelled
 * @throws {DOMException} as `getDisplayMedia` does, {RoomError} as `publish` does
 */
export async function shareScreen(room: Room, { audio = true } = {}): Promise<ScreenShare | undefined> {
  const stream = await navigator.mediaDevices
    .getDisplayMedia({ video: { frameRate: { ideal: 15 } }, audio })
    .catch((error: DOMException) => {
      if (error.name === 'NotAllowedError') return undefined;
      throw error;
    });
  const [picture] = stream?.getVideoTracks() ?? [];
  if (!stream || !picture) return undefined;
  const [sound] = stream.getAudioTracks();
  // Keeps text readable: fewer frames are better than blurred ones.
  picture.contentHint = 'detail';
  try {
    const [video, soundtrack] = await Promise.all([
      room.publish(picture, { source: 'screen' }),
      sound && room.publish(sound, { source: 'screenAudio' }),
    ]);
    const stop = async (): Promise<void> => {
      // The browser keeps the track for a while; without its listener the room can be collected.
      picture.removeEventListener('ended', stop);
      for (const track of stream.getTracks()) track.stop();
      await Promise.all([video.close(), soundtrack?.close()]);
    };
    picture.addEventListener('ended', stop);
    return { video, audio: soundtrack, stop };
  } catch (error) {
    for (const track of stream.getTracks()) track.stop();
    throw error;
  }
}
