/** RTCP's generic feedback, and in it the NACK (RFC 4585, 6.2.1). */
const [FEEDBACK, NACK] = [205, 1];
/** RTCP's payload-specific feedback, and in it the picture loss indication (RFC 4585, 6.3.1). */
const [PAYLOAD_FEEDBACK, PICTURE_LOSS] = [206, 1];
/** RTCP's reports (RFC 3550, 6.4). */
const [SENDER_REPORT, RECEIVER_REPORT] = [200, 201];
/** Seconds from 1900, where NTP's time begins, to 1970. */
const NTP_EPOCH = 2_208_988_800;
const VERSION = 0x80;
/** The SSRC of the sender of RTCP, which nobody reads. */
const REPORTER = 1;

/** The sequence numbers of a stream that an RTCP packet asks for again. */
export function* nackedBy(packet: Buffer, ssrc: number): Generator<number> {
  for (let at = 0; at + 4 <= packet.length; at += 4 * (packet.readUInt16BE(at + 2) + 1)) {
    const isNack = packet[at + 1] === FEEDBACK && ((packet[at] ?? 0) & 0x1f) === NACK;
    if (!isNack || packet.readUInt32BE(at + 8) !== ssrc) continue;
    for (let item = at + 12; item < at + 4 * (packet.readUInt16BE(at + 2) + 1); item += 4) {
      const first = packet.readUInt16BE(item);
      yield first;
      for (let bit = 0; bit < 16; bit++)
        if (packet.readUInt16BE(item + 2) & (1 << bit)) yield (first + bit + 1) & 0xffff;
    }
  }
}

/** Whether an RTCP packet asks for a key frame. */
export const isPictureLoss = ([first = 0, second]: Buffer): boolean =>
  second === PAYLOAD_FEEDBACK && (first & 0x1f) === PICTURE_LOSS;

/** Requests packets of a stream again. */
export function nack(ssrc: number, sequences: readonly number[]): Buffer {
  const packet = rtcp(VERSION | NACK, FEEDBACK, 12 + 4 * sequences.length);
  packet.writeUInt32BE(ssrc, 8);
  for (const [index, sequence] of sequences.entries()) packet.writeUInt16BE(sequence & 0xffff, 12 + 4 * index);
  return packet;
}

/** Reports which packets of a stream arrived. */
export function receiverReport(ssrc: number, lost: number, highest: number): Buffer {
  const packet = rtcp(VERSION | 1, RECEIVER_REPORT, 32);
  packet.writeUInt32BE(ssrc, 8);
  packet.writeUIntBE(lost, 13, 3);
  packet.writeUInt32BE(highest, 16);
  return packet;
}

/** Reports the stream's timestamp of now. mediasoup scores the packets received since the last report. */
export function senderReport(ssrc: number, timestamp: number, now: number): Buffer {
  const packet = rtcp(VERSION, SENDER_REPORT, 28);
  packet.writeUInt32BE(ssrc, 4);
  packet.writeUInt32BE(Math.floor(now / 1000) + NTP_EPOCH, 8);
  packet.writeUInt32BE(Math.floor(((now % 1000) / 1000) * 2 ** 32), 12);
  packet.writeUInt32BE(timestamp >>> 0, 16);
  return packet;
}

function rtcp(head: number, type: number, bytes: number): Buffer {
  const packet = Buffer.alloc(bytes);
  packet.writeUInt8(head, 0);
  packet.writeUInt8(type, 1);
  packet.writeUInt16BE(bytes / 4 - 1, 2);
  packet.writeUInt32BE(REPORTER, 4);
  return packet;
}
