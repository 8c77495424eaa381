import { useEffect, useRef } from 'preact/hooks';
import type { RemoteTrack } from '../../src/index.ts';

interface RemoteAudioProps {
  readonly track: RemoteTrack;
  /** The speaker; empty for the system's default. */
  readonly speakerId: string;
  /** Called with a function that plays the track, which must be called from a click. */
  readonly onBlocked: (play: () => void) => void;
  readonly onFailed: (words: string) => void;
}

/** Plays a remote audio track. */
export function RemoteAudio({ track, speakerId, onBlocked, onFailed }: RemoteAudioProps) {
  const element = useRef<HTMLAudioElement>(null);
  useEffect(() => {
    const audio = element.current;
    if (!audio) return;
    const detach = track.attach(audio);
    audio.play().catch((error: Error) => {
      if (error.name === 'NotAllowedError') onBlocked(() => void audio.play().catch(() => {}));
    });
    return detach;
  }, [track]);
  useEffect(() => {
    const audio = element.current;
    if (!audio || !('setSinkId' in audio) || audio.sinkId === speakerId) return;
    audio
      .setSinkId(speakerId)
      .catch(() => onFailed('The speaker that you chose is not there: you hear by another one.'));
  }, [speakerId]);
  // biome-ignore lint/a11y/useMediaCaption: a live voice has no captions.
  return <audio ref={element} autoplay data-peer-id={track.peerId} />;
}
