import type { LocalTrack } from '../LocalTrack.ts';
import type { Room } from '../Room.ts';

/** A screen, window or tab that this peer shows the others, with its sound where the browser gives it. */
export interface ScreenShare {
  readonly video: LocalTrack;
  readonly audio: LocalTrack | undefined;
  /** Ends both; the browser's own button does the same. */
  stop(): Promise<void>;
}

/**
 * Asks which screen to share, and publishes it.
 *
 * @param audio whether its sound is wanted too
 * @returns undefined where the person changed their mind
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
  // Text stays readable: fewer pictures are better than a blurred one.
  picture.contentHint = 'detail';
  try {
    const [video, soundtrack] = await Promise.all([
      room.publish(picture, { source: 'screen' }),
      sound && room.publish(sound, { source: 'screenAudio' }),
    ]);
    const stop = async (): Promise<void> => {
      // The browser keeps the track for a while, which must not keep the room.
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
