import { readFile } from 'node:fs/promises';

/** What is sent over and over, as `record.sh` made it: the payloads of frames, those of video from a key frame on. */
export type Recording = { readonly video: readonly Buffer[]; readonly audio: readonly Sound[] };

/** A packet of sound, and how loud it is: the byte that goes with it (RFC 6464). */
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

/** The frames of an IVF file: a header that gives its own length, then each frame after 12 bytes of size and time. */
export function readIvf(file: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  for (let at = file.readUInt16LE(6); at < file.length; ) {
    const size = file.readUInt32LE(at);
    frames.push(file.subarray(at + 12, at + 12 + size));
    at += 12 + size;
  }
  return frames;
}

/** The packets of an Ogg file (RFC 3533) after its two headers, that of Opus and its tags (RFC 7845). */
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
