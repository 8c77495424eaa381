/** How often the listener is called, ms. */
const INTERVAL_MS = 100;

let shared: AudioContext | undefined;
const timers = new Set<ReturnType<typeof setInterval>>();

/**
 * Measures the volume of an audio track ten times a second, for example of a microphone before a call. In a call,
 * `Room.audioLevels` has the volumes that the server measures.
 *
 * @param listener called with the root mean square of the samples, 0 to 1
 * @returns a function that stops
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
    // Browsers suspend the context until the person has clicked or typed in the page.
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
    // Chromium keeps the microphone's stream alive as long as its context is open.
    shared = undefined;
    void context.close();
  };
}
