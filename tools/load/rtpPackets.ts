import { randomInt } from 'node:crypto';
import type { Sound } from './recording.ts';

/** The most payload bytes of a packet, so that it fits a path MTU of 1280 with all headers. */
const MAX_PAYLOAD = 1100;
const VERSION = 0x80;
const EXTENDED = 0x10;
const MARKER = 0x80;

/** The header extension of the audio level (RFC 6464), and its id here. */
export const AUDIO_LEVEL = { uri: 'urn:ietf:params:rtp-hdrext:ssrc-audio-level', id: 1 };
/** The extension block with the audio level only (RFC 8285, 4.2). */
const levelOf = (level: number) => Buffer.from([0xbe, 0xde, 0, 1, AUDIO_LEVEL.id << 4, level, 0, 0]);

/** The number of packets of a VP8 frame. */
export const packetsOf = (frame: Buffer): number => Math.ceil(frame.length / MAX_PAYLOAD);

/** Creates the RTP packets of one stream (RFC 3550). */
export class RtpPackets {
  readonly ssrc = randomInt(1, 2 ** 31);
  readonly #payloadType: number;
  #sequence = randomInt(2 ** 15);
  #pictureId = randomInt(2 ** 15);

  constructor(payloadType: number) {
    this.#payloadType = payloadType;
  }

  opus(sound: Sound, timestamp: number): Buffer {
    return this.#packet(sound.payload, timestamp, false, levelOf(sound.level));
  }

  /** The packets of a VP8 frame, each with a payload descriptor (RFC 7741). */
  *vp8(frame: Buffer, timestamp: number): Generator<Buffer> {
    this.#pictureId = (this.#pictureId + 1) & 0x7fff;
    for (let from = 0; from < frame.length; from += MAX_PAYLOAD) {
      const descriptor = Buffer.from([
        from === 0 ? 0x90 : 0x80,
        0x80,
        0x80 | (this.#pictureId >> 8),
        this.#pictureId & 0xff,
      ]);
      const piece = Buffer.concat([descriptor, frame.subarray(from, from + MAX_PAYLOAD)]);
      yield this.#packet(piece, timestamp, from + MAX_PAYLOAD >= frame.length);
    }
  }

  #packet(payload: Buffer, timestamp: number, marker: boolean, extension = Buffer.alloc(0)): Buffer {
    const header = Buffer.alloc(12);
    header.writeUInt8(VERSION | (extension.length > 0 ? EXTENDED : 0), 0);
    header.writeUInt8((marker ? MARKER : 0) | this.#payloadType, 1);
    this.#sequence = (this.#sequence + 1) & 0xffff;
    header.writeUInt16BE(this.#sequence, 2);
    header.writeUInt32BE(timestamp >>> 0, 4);
    header.writeUInt32BE(this.ssrc, 8);
    return Buffer.concat([header, extension, payload]);
  }
}
