import { readFile } from 'node:fs/promises';

/** The media that publishers send in a loop, as `record.sh` recorded it: frames' payloads; video starts with a key frame. */
export type Recording = { readonly video: readonly Buffer[]; readonly audio: readonly Sound[] };

/** An audio packet, and the byte of its audio level (RFC 6464). */
export type Sound = { readonly payload: Buffer; readonly level: number };

export async function readRecording(): Promise<Recording> {
  const read = (name: string) => readFile(new URL(`recordings/${name}`, import.meta.url));
  const [payloads, levels] = [readOggOpus(await read('audio.opus')), await read('audio.levels')];
  const audio = payloads.flatMap((payload, index) => {
    const level = levels[index];
    return level === undefined ? [] : [{ payload, level }];
  });
  return { video: readIvf(await read('video.ivf')), audio };
}

/** The frames of an IVF file: after the file header, whose length it contains, each frame follows 12 bytes of size and timestamp. */
export function readIvf(file: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  for (let at = file.readUInt16LE(6); at < file.length; ) {
    const size = file.readUInt32LE(at);
    frames.push(file.subarray(at + 12, at + 12 + size));
    at += 12 + size;
  }
  return frames;
}

/** The packets of an Ogg file (RFC 3533) after the two header packets of Opus (RFC 7845). */
export function readOggOpus(file: Buffer): Buffer[] {
  const packets: Buffer[] = [];
  let pieces: Buffer[] = [];
  for (let at = 0; at < file.length; ) {
    const segments = file.subarray(at + 27, at + 27 + file.readUInt8(at + 26));
    at += 27 + segments.length;
    for (const length of segments) {
      pieces.push(file.subarray(at, at + length));
      at += length;
      // A packet ends with the first segment that is not full.
      if (length === 255) continue;
      packets.push(Buffer.concat(pieces));
      pieces = [];
    }
  }
  return packets.slice(2);
}
