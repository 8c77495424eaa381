import { readdir, readFile, rm, writeFile } from 'node:fs/promises';

const WIDTH = 320;
const HEIGHT = 180;
const FRAMES = 8;

/** A file that is Chromium's camera (`--use-file-for-fake-video-capture`), which is plugged in while the file exists. */
export class CameraFile {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Writes a bar that moves over a grey picture, as YUV4MPEG2. */
  async plugIn(): Promise<void> {
    const frames = Array.from({ length: FRAMES }, (_, frame) => {
      const luma = Buffer.alloc(WIDTH * HEIGHT, 110);
      for (let row = 0; row < HEIGHT; row++) luma.fill(225, row * WIDTH + frame * 40, row * WIDTH + frame * 40 + 40);
      return Buffer.concat([Buffer.from('FRAME\n'), luma, Buffer.alloc((WIDTH * HEIGHT) / 2, 128)]);
    });
    const header = Buffer.from(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F30:1 Ip A1:1 C420\n`);
    await writeFile(this.path, Buffer.concat([header, ...frames]));
  }

  /** Removes the file and kills the capture process, which has it open. Chromium starts another. */
  async pullOut(): Promise<void> {
    await rm(this.path);
    for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
      // The process may have ended meanwhile.
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      if (command.includes(this.path) && command.includes('video_capture')) process.kill(Number(pid), 'SIGKILL');
    }
  }
}
