import { useEffect, useRef } from 'preact/hooks';
import type { RemoteTrack } from '../../src/index.ts';

/** Plays a remote audio track; `onBlocked` gets a function that plays it, to be called from a click. */
export function RemoteAudio({ track, onBlocked }: { track: RemoteTrack; onBlocked: (play: () => void) => void }) {
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
  // biome-ignore lint/a11y/useMediaCaption: a live voice has no captions.
  return <audio ref={element} autoplay data-peer-id={track.peerId} />;
}
