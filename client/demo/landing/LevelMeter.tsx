import { useEffect, useRef, useState } from 'preact/hooks';
import { AudioLevel } from '../devices/AudioLevel.ts';

/** What counts as having been heard, of 1. */
const HEARD = 0.25;

/** Shows how loud the microphone is, and says once that it works. */
export function LevelMeter({ track }: { track: MediaStreamTrack | undefined }) {
  const bar = useRef<HTMLDivElement>(null);
  const [heard, setHeard] = useState(false);
  useEffect(() => {
    setHeard(false);
    if (!track) return;
    const level = new AudioLevel(track);
    let frame = requestAnimationFrame(function draw() {
      const loudness = level.read();
      // Not by rendering, which 60 times a second would be work for nothing.
      bar.current?.style.setProperty('--level', loudness.toFixed(3));
      if (loudness > HEARD) setHeard(true);
      frame = requestAnimationFrame(draw);
    });
    return () => {
      cancelAnimationFrame(frame);
      level.close();
      bar.current?.style.setProperty('--level', '0');
    };
  }, [track]);
  return (
    <div class="level" data-testid="level" data-heard={String(heard)}>
      <div class="level-bar" ref={bar} aria-hidden="true" />
      <output>{track ? (heard ? 'We hear you' : 'Say something…') : 'Microphone off'}</output>
    </div>
  );
}
