/** Writes two seconds to standard output, of pictures (`video`, Y4M) or of sound (`audio`, 16 bit stereo at 48 kHz). */

const SECONDS = 2;
const [WIDTH, HEIGHT, FPS] = [640, 360, 30];
const RATE = 48_000;

/** Waves that move over a plane of the picture. */
function plane(width: number, height: number, frame: number, phase: number): Buffer {
  const bytes = Buffer.alloc(width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const wave =
        Math.sin(x / 23 + frame / 5 + phase) + Math.sin(y / 17 - frame / 7) + Math.sin((x + y) / 41 + frame / 3);
      bytes[y * width + x] = 128 + 35 * wave;
    }
  return bytes;
}

if (process.argv[2] === 'video') {
  process.stdout.write(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F${FPS}:1 Ip A1:1 C420jpeg\n`);
  for (let frame = 0; frame < SECONDS * FPS; frame++) {
    process.stdout.write('FRAME\n');
    process.stdout.write(plane(WIDTH, HEIGHT, frame, 0));
    for (const phase of [1, 2]) process.stdout.write(plane(WIDTH / 2, HEIGHT / 2, frame, phase));
  }
} else {
  // A tone that swells and falls as a voice does.
  const sound = Buffer.alloc(SECONDS * RATE * 4);
  for (let index = 0; index < SECONDS * RATE; index++) {
    const time = index / RATE;
    const swell = 0.55 + 0.45 * Math.sin(2 * Math.PI * 3 * time);
    const tone = Math.sin(2 * Math.PI * (180 + 40 * Math.sin(2 * Math.PI * time)) * time);
    const sample = Math.round(12_000 * swell * tone);
    sound.writeInt16LE(sample, index * 4);
    sound.writeInt16LE(sample, index * 4 + 2);
  }
  process.stdout.write(sound);
}
