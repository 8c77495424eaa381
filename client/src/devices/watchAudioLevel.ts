/** How often the level is told, ms. */
const INTERVAL_MS = 100;

let shared: AudioContext | undefined;
const timers = new Set<ReturnType<typeof setInterval>>();

/**
 * Tells how loud an audio track is, ten times a second: for a microphone before the call, say. Who speaks in the room the
 * server tells, in `Room.audioLevels`.
 *
 * @param listener gets the root mean square of the samples, 0 to 1
 * @returns the function that stops
 */
export function watchAudioLevel(track: MediaStreamTrack, listener: (level: number) => void): () => void {
  shared ??= new AudioContext();
  const context = shared;
  const source = context.createMediaStreamSource(new MediaStream([track]));
  const analyser = context.createAnalyser();
  analyser.fftSize = 1024;
  source.connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    // A page may make sound only after a gesture, and hear itself only then too.
    if (context.state === 'suspended') void context.resume();
    analyser.getFloatTimeDomainData(samples);
    let sum = 0;
    for (const sample of samples) sum += sample * sample;
    listener(Math.sqrt(sum / samples.length));
  }, INTERVAL_MS);
  timers.add(timer);
  return () => {
    clearInterval(timer);
    source.disconnect();
    if (!timers.delete(timer) || timers.size > 0) return;
    // Chromium keeps what was connected in a context, and with it the microphone's stream, as long as that is open.
    shared = undefined;
    void context.close();
  };
}
