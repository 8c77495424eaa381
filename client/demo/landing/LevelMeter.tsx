import { useEffect, useRef, useState } from 'preact/hooks';
import { watchAudioLevel } from '../../src/index.ts';

/** The levels that are shown as empty and as full, dB relative to full scale. */
const SILENT_DB = -60;
const LOUD_DB = -12;
/** The level from which the microphone counts as working, 0 to 1. */
const HEARD = 0.25;

/** Shows the microphone's volume, and that it works once it was loud enough. */
export function LevelMeter({ track }: { track: MediaStreamTrack | undefined }) {
  const bar = useRef<HTMLDivElement>(null);
  const [heard, setHeard] = useState(false);
  useEffect(() => {
    setHeard(false);
    if (!track) return;
    const stop = watchAudioLevel(track, (level) => {
      const loudness = Math.min(1, Math.max(0, (20 * Math.log10(level) - SILENT_DB) / (LOUD_DB - SILENT_DB)));
      bar.current?.style.setProperty('--level', loudness.toFixed(3));
      if (loudness > HEARD) setHeard(true);
    });
    return () => {
      stop();
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
