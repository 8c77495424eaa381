/** Plays two notes, so that the person hears which speaker is chosen. */
export async function playChime(speakerId: string): Promise<void> {
  const context = new AudioContext();
  const output = context.createMediaStreamDestination();
  const loudness = context.createGain();
  loudness.connect(output);
  const start = context.currentTime + 0.1;
  for (const [index, frequency] of [523.25, 783.99].entries()) {
    const note = context.createOscillator();
    note.frequency.value = frequency;
    note.connect(loudness);
    note.start(start + index * 0.25);
    note.stop(start + index * 0.25 + 0.35);
  }
  loudness.gain.setValueAtTime(0.25, start);
  loudness.gain.exponentialRampToValueAtTime(0.001, start + 0.8);
  const audio = new Audio();
  audio.srcObject = output.stream;
  try {
    if (speakerId !== '') await audio.setSinkId(speakerId);
    await audio.play();
    await new Promise((resolve) => setTimeout(resolve, 1000));
  } finally {
    audio.srcObject = null;
    await context.close();
  }
}
