/**
 * Writes to standard output two seconds of pictures (`video`, Y4M), or how loud a voice is (`levels`): a byte for each 20 ms
 * of the WAV file on standard input (mono, 16 bit), as it goes with a packet of it (RFC 6464).
 */

import { buffer } from 'node:stream/consumers';

const SECONDS = 2;
const [WIDTH, HEIGHT, FPS] = [640, 360, 30];
/** Of the file's header, of which the sampling rate is at 24. */
const WAV_HEADER = 44;
/** The first bit says that it is a voice. */
const VOICE = 0x80;
/** The least that the other bits tell, -dBov. */
const SILENCE = 127;

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
  const wav = await buffer(process.stdin);
  const frameBytes = 2 * Math.round(wav.readUInt32LE(24) / 50);
  const levels: number[] = [];
  for (let at = WAV_HEADER; at + frameBytes <= wav.length; at += frameBytes) {
    let squares = 0;
    for (let sample = at; sample < at + frameBytes; sample += 2) squares += (wav.readInt16LE(sample) / 32_768) ** 2;
    const level = Math.min(SILENCE, Math.round(-10 * Math.log10(squares / (frameBytes / 2))));
    levels.push(level < SILENCE ? VOICE | level : level);
  }
  process.stdout.write(Buffer.from(levels));
}
